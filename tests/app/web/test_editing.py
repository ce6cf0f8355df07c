"""The catalogue is changed on the page, as editors do it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from pydantic import SecretStr

from tests.app.web.conftest import PHONE, OpenScreen, Screen, make_service_settings
from tests.browser import CHROMIUM
from tests.client import Client, serving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """The service with two editors."""
    editors = {"events_url": SecretStr(f"sqlite:///{tmp_path}/events.db"), "catalogue_keys": SecretStr("ann:a,bob:b")}
    with serving(make_service_settings(tmp_path, **editors)) as running:
        yield running


def enter(screen: Screen, key: str = "a", address: str = "") -> None:
    screen.open(f"#catalogue{address}")
    screen.page.get_by_label("Key", exact=True).fill(key)
    screen.page.keyboard.press("Enter")


def changes(screen: Screen) -> Locator:
    return screen.page.get_by_role("region", name="Changes").get_by_role("listitem")


def change(client: Client, item: int, body: dict[str, Any]) -> None:
    headers = {"X-API-Key": "b", "Content-Type": "application/json"}
    assert client.get(f"/items/{item}", "PATCH", headers, json.dumps(body).encode()).status == 200


@pytest.mark.long
def test_an_editor_finds_changes_withdraws_and_adds_films_and_undoes_it(screen: Screen) -> None:
    page, client = screen.page, screen.client
    enter(screen, "wrong")
    expect(page.get_by_role("alert")).to_have_text("The service does not know this key.")
    page.get_by_label("Key", exact=True).fill("a")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody has changed anything yet.")).to_be_visible()
    page.get_by_role("combobox", name="Find a film by its title").fill("film 21")
    page.get_by_role("option", name="Film 21").wait_for()
    page.keyboard.press("Enter")
    page.get_by_label("Year").fill("1999")
    page.get_by_label("Genres, one a line").fill("War\nDrama & <b>more</b>")
    page.get_by_label("on loan").select_option("yes")
    page.get_by_label("Available from").fill("2020-05-01T12:00")
    page.get_by_role("button", name="Save").click()
    expect(changes(screen)).to_have_count(1)
    item = client.get("/items/21").json
    assert (item["year"], item["genres"], item["on_loan"]) == (1999, ["War", "Drama & <b>more</b>"], True)
    assert item["available_from"].startswith("2020-05-0")
    assert item["plot"] == "<i>Plot 21</i>"  # what nobody touched stays
    expect(changes(screen).first).to_contain_text("Year: 1970 → 1999")
    expect(changes(screen).first).to_contain_text("ann · ")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("button", name="Bring back")).to_be_visible()
    assert client.get("/items/21").json["available"] is False
    page.get_by_role("button", name="Undo the change of Film 21").click()
    expect(page.get_by_role("button", name="Withdraw")).to_be_visible()
    assert client.get("/items/21").json["available"] is True
    expect(changes(screen)).to_have_count(3)
    page.get_by_role("button", name="Add a film").click()
    page.get_by_label("Id", exact=True).fill("21")
    page.get_by_label("Title", exact=True).fill("Paths of Glory")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("There is a film with this id already.")
    page.get_by_label("Id", exact=True).fill("9001")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Paths of Glory")).to_be_visible()
    assert [each["id"] for each in client.get("/items?query=glory").json["items"]] == [9001]
    assert "secret" not in page.url
    expect(page.locator("pre")).to_contain_text("-H 'X-API-Key: …'")
    assert screen.violations() == ""


@pytest.mark.long
def test_an_editor_who_has_not_seen_another_one_s_change_is_told_and_keeps_what_is_typed(screen: Screen) -> None:
    page, client = screen.page, screen.client
    enter(screen, address="?id=11")
    page.get_by_label("Year").wait_for()
    change(client, 11, {"title": "Bob’s title"})
    page.get_by_label("Year").fill("2001")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_contain_text("Somebody has changed this film since you opened it.")
    assert page.get_by_label("Year").input_value() == "2001"
    assert client.get("/items/11").json["title"] == "Bob’s title"


@pytest.mark.long
def test_a_phone_in_french_shows_all_of_it(open_screen: OpenScreen, client: Client) -> None:
    change(client, 1, {"withdrawn": True})
    screen = open_screen(client, PHONE, "dark", "fr-FR")
    screen.open("#catalogue?id=1")
    screen.page.get_by_label("Clé", exact=True).fill("a")
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_role("button", name="Remettre")).to_be_visible()
    expect(screen.page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    screen.settle()
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert screen.violations() == ""
    screen.page.get_by_role("button", name=re.compile("^Annuler la modification")).press("Enter")
    expect(screen.page.get_by_role("button", name="Retirer")).to_be_visible()
    assert client.get("/items/1").json["available"] is True


@pytest.mark.long
def test_an_editor_sees_what_a_placement_does_before_saving_it_and_goes_back(screen: Screen) -> None:
    page, client = screen.page, screen.client
    bob = {"X-API-Key": "b", "Content-Type": "application/json"}
    client.get("/items/9", "PATCH", bob, b'{"withdrawn": true}')
    screen.open("#placements?name=home")
    page.get_by_label("Key", exact=True).fill("a")
    page.keyboard.press("Enter")
    expect(screen.films("Before: 2").first).to_be_visible()
    before = screen.ids("Before: 2")
    page.get_by_role("button", name="Add a boost").click()
    boosts = page.get_by_role("group", name="Boosts")
    boosts.get_by_label("Filter").fill("genres:Horror")
    assert page.locator("#filters-offered option[value='genres:Horror']").count() == 1
    boosts.get_by_label("By").fill("9")
    expect(screen.films("After: 2").first).not_to_have_attribute("data-id", str(before[0]))
    assert all("Horror" in client.get(f"/items/{each}").json["genres"] for each in screen.ids("After: 2"))
    assert screen.ids("Before: 2") == before
    assert [each.json for each in [client.get("/placements", headers={"X-API-Key": "a"})]] == [{"placements": []}]
    expect(page.get_by_role("row", name=re.compile(r"^Horror 30\.3% 93\.9%$"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Predicted loss of NDCG 0% [1-9]"))).to_be_visible()
    page.get_by_role("combobox", name="Find a film by its title").fill("film 12")
    page.get_by_role("option", name="Film 12").wait_for()
    page.keyboard.press("Enter")
    page.get_by_label("For people unknown").select_option("what people like lately")
    page.get_by_label("Rests when shown, times").fill("5")
    client.get("/placements/home-b", "PUT", bob, b"{}")
    page.get_by_label("On trial against").fill("home-b")
    page.get_by_role("button", name="Explore").click()
    page.get_by_role("group", name="Exploration").get_by_label("Place", exact=True).fill("2")
    expect(page.get_by_role("button", name="Explore")).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Changes").get_by_role("listitem")).to_have_count(1)
    home = client.get("/placements/home", headers={"X-API-Key": "a"}).json["placement"]
    rules = {"boosts": [{"filter": "genres:Horror", "by": 9}], "pins": [{"item_id": 12, "rank": 1}]}
    rest = {"shown": 5, "days": 7}
    assert home == {
        "fallback": "trending",
        "rest": rest,
        "trial": {"against": "home-b", "share": 0.5},
        **rules,
        "explore": {"rank": 2, "among": 20, "share": 0.1, "new_below": 50},
    }
    assert screen.violations() == ""
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Go back to what it was").click()
    expect(page.get_by_role("region", name="Changes").get_by_role("listitem")).to_have_count(3)
    assert client.get("/placements/home", headers={"X-API-Key": "a"}).json["placement"] == home
