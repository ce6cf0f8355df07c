"""Likes on the page, stored as events of the user on the screen."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pydantic import SecretStr

from app.contract.placement_trial import PlacementTrial
from app.contract.recommendation_id import read_id
from app.contract.store_address import StoreAddress
from app.contract.trial import Trial
from app.events.open_store import open_store
from app.main import Service, create_app
from app.model.registered_version import RegisteredVersion
from app.model.store import load_model
from tests.app.web.conftest import PHONE, POLL, OpenScreen, Screen, make_model, make_service_settings
from tests.artifacts import write
from tests.browser import CHROMIUM
from tests.client import Client, serving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


ALIASES = ("production", "challenger")


def events_url(directory: Path) -> SecretStr:
    return SecretStr(f"sqlite:///{directory}/events.db")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """The service with a store of events."""
    with serving(make_service_settings(tmp_path, events_url=events_url(tmp_path))) as running:
        yield running


def liked(client: Client, user: str) -> list[int]:
    return [item["id"] for item in client.get(f"/users/{user}/history").json["items"] if item["liked"]]


@pytest.mark.long
def test_a_like_of_a_user_is_stored_and_a_second_click_takes_it_back(screen: Screen, tmp_path: Path) -> None:
    screen.open("#user?id=2")
    (first, *others) = screen.ids()
    screen.films().first.get_by_role("button", name=re.compile("^Like")).click()
    expect(screen.page.locator(".telling")).to_contain_text("Stored: this user likes")
    assert first not in screen.ids()
    assert screen.ids("History")[0] == liked(screen.client, "2")[0] == first
    expect(screen.films().locator(".mark").first).to_be_visible()
    expect(screen.page.locator("pre")).to_contain_text("X-Read-After: 1")
    screen.page.get_by_role("button", name="1 short history").click()
    expect(screen.page.locator(".telling")).to_be_hidden()  # it was about another user
    screen.page.go_back()
    newest = screen.films("History").first
    expect(newest.get_by_role("button", pressed=True)).to_have_accessible_name(re.compile("^Like"))
    newest.get_by_role("button", name=re.compile("^Like")).click()
    expect(screen.page.locator(".telling")).to_contain_text("is taken back")
    assert screen.ids() == [first, *others]
    assert first not in screen.ids("History")
    with closing(open_store(StoreAddress(events_url(tmp_path).get_secret_value()))) as store:
        in_the_list, in_the_history = store.read_after(0, 10)
    named = read_id(in_the_list.recommendation_id or "")
    assert named is not None
    assert named.version == screen.client.version()
    assert in_the_history.recommendation_id is None


@pytest.mark.long
def test_a_stranger_who_likes_films_by_their_titles_gets_a_list_of_their_own(screen: Screen) -> None:
    screen.open("#user?id=ann")
    expect(screen.page.get_by_text("The model knows nothing of this user")).to_be_visible()
    find = screen.page.get_by_role("combobox", name="Find a film by its title")
    find.fill("ame")
    screen.page.get_by_role("option", name="Amélie").wait_for()
    find.press("Enter")
    expect(screen.page.get_by_text("made for this user")).to_be_visible()
    assert liked(screen.client, "ann") == screen.ids("History") == [3]
    assert screen.ids() == [item["id"] for item in screen.client.get("/users/ann/recommendations").json["items"]]
    screen.films().first.get_by_role("button", name=re.compile("^Dislike")).click()
    expect(screen.page.locator(".telling")).to_contain_text("Stored: this user dislikes")
    assert liked(screen.client, "ann") == [3]


@pytest.mark.long
def test_now_shows_up_to_where_answers_know_the_events(screen: Screen) -> None:
    screen.client.post("/events", {"events": [{"user_id": 2, "item_id": 3, "type": "like"}]})
    screen.open("#now")
    summary = screen.page.get_by_role("region", name="In short")
    expect(summary.get_by_text("1 up to date")).to_be_visible()


@pytest.fixture
def on_trial(tmp_path: Path) -> Iterator[tuple[Client, Service]]:
    """The service with version 8 on trial against version 7; user 1 gets the challenger."""
    settings = make_service_settings(tmp_path, events_url=events_url(tmp_path))
    app = create_app(settings)
    with serving(settings, app) as client:
        challenger = app.state.parts.challenger
        challenger.store.swap(load_model(write(tmp_path / "8", make_model(seed=8)), RegisteredVersion("8", 0, "")))
        challenger.trial = Trial("8", "7", "films:8", 0.25, 0)
        yield client, app


@pytest.mark.long
def test_now_shows_the_running_trial_and_its_arms(on_trial: tuple[Client, Service], open_screen: OpenScreen) -> None:
    client, app = on_trial
    for number in range(40):
        client.get(f"/users/{1 + number % 4}/recommendations")
    app.state.parts.exposures.flush()
    screen = open_screen(client)
    screen.open("#now")
    tile = screen.page.get_by_role("region", name="Trial")
    expect(tile).to_contain_text("Version 8 is on trial against version 7: 25% of the users get its lists.")
    expect(tile).to_contain_text("Of 40 lists of this replica,")


@pytest.mark.long
def test_now_shows_how_a_trial_of_placements_stands_in_the_same_panel(
    on_trial: tuple[Client, Service], open_screen: OpenScreen, tmp_path: Path
) -> None:
    client, app = on_trial
    trial = PlacementTrial("home", "home-b", "placement:secret", 0.5, 0)
    app.state.parts.placements.trials = {trial.placement: trial}
    row = trial.placement, trial.experiment, "people like placement home-b better", 0.2, 0.1, 0.3
    with closing(sqlite3.connect(tmp_path / "events.db")) as store, store:
        store.execute("INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?)", row)
    app.state.parts.exposures.flush()
    screen = open_screen(client, PHONE, language="fr-FR")
    screen.open("#now")
    tile = screen.page.get_by_role("region", name="Test A/B de l’emplacement home")
    expect(tile).to_contain_text(re.compile(r"50\s% des utilisateurs reçoivent home selon les règles de home-b\."))
    expect(tile.locator(".figure")).to_contain_text("20,0")
    expect(screen.page.get_by_role("region", name="Test A/B", exact=True)).to_be_visible()
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert screen.violations() == ""


@pytest.mark.long
def test_who_looks_at_lists_during_a_trial_compares_both_versions_and_counts_for_nothing(
    on_trial: tuple[Client, Service], open_screen: OpenScreen
) -> None:
    client, app = on_trial
    user = "4"  # of the challenger's arm
    screen = open_screen(client)
    screen.open(f"#versions?id={user}")
    lists = {
        alias: client.get(f"/users/{user}/recommendations?preview=true&alias={alias}").json["items"]
        for alias in ALIASES
    }
    for alias in ALIASES:
        assert screen.ids(alias) == [item["id"] for item in lists[alias]]
    assert screen.ids("production") != screen.ids("challenger")
    screen.open(f"#user?id={user}")
    assert screen.ids() == [item["id"] for item in lists["challenger"]]
    screen.page.evaluate(POLL)
    screen.page.wait_for_load_state("networkidle")
    expect(screen.page.locator(".notice")).to_have_count(0)
    screen.open("#new?liked=3")
    assert screen.ids()
    app.state.parts.exposures.flush()
    status = client.get("/status").json
    assert status["trial"]["lists"] == {"production": 0, "challenger": 0, "fallback": 0}
    assert status["recent_lists"]["lists"] == 0


@pytest.mark.long
def test_a_like_asks_for_a_key_that_may_write(open_screen: OpenScreen, tmp_path: Path) -> None:
    settings = make_service_settings(tmp_path, events_url=events_url(tmp_path), events_keys=SecretStr("writers"))
    with serving(settings) as client:
        screen = open_screen(client)
        screen.open("#user?id=2")
        like = screen.films().first.get_by_role("button", name=re.compile("^Like"))
        like.click()
        screen.page.get_by_role("button", name="Give a key").click()
        screen.page.get_by_label("Key", exact=True).fill("writers")
        screen.page.keyboard.press("Enter")
        first = screen.ids()[0]
        like.click()
        expect(screen.page.locator(".telling")).to_contain_text("Stored: this user likes")
        assert liked(client, "2")[0] == first


@pytest.mark.long
def test_without_a_store_there_is_nothing_to_press(open_screen: OpenScreen, tmp_path: Path) -> None:
    with serving(make_service_settings(tmp_path)) as client:
        screen = open_screen(client)
        screen.open("#user?id=2")
        assert len(screen.ids()) == 10
        assert screen.page.get_by_role("button", name=re.compile("^Like")).count() == 0
        assert not screen.page.get_by_role("combobox", name="Find a film by its title").is_visible()
