"""What people see and do on the page, in a real browser before a real service."""

import json
import re
import shlex
import subprocess
from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import expect

from tests.app.web.conftest import N_FILMS, ODD_TITLES, PICTURES, OpenScreen, Screen
from tests.browser import CHROMIUM
from tests.client import Client
from tests.processes import wait_until

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


def asked(client: Client, query: str) -> list[int]:
    return [item["id"] for item in client.get(query).json["items"]]


def test_the_first_screen_shows_an_example_s_history_beside_what_it_would_get_and_why(screen: Screen) -> None:
    screen.open()
    assert screen.ids() == asked(screen.client, "/users/2/recommendations")
    assert screen.ids("History") == list(range(21, 33))
    first, answer = screen.films().first, screen.client.get("/users/2/recommendations?explain=true").json["items"][0]
    expect(first.locator(".rank")).to_have_text("1")
    expect(first.locator(".facts")).to_contain_text(f"{answer['year']} · {', '.join(answer['genres'])}")
    reason = answer["because"][0]
    shared = f" ({', '.join(reason['shared']['genres'])})" if "shared" in reason else ""
    expect(first.locator(".because")).to_contain_text(f"{reason['title']}{shared}")
    expect(first.locator(".number")).to_have_text(f"score {answer['score']:.3f}")
    expect(screen.page.get_by_text("version 7 · test")).to_be_visible()


@pytest.mark.long
def test_examples_are_a_click_away_and_the_address_keeps_who_is_shown(screen: Screen, open_screen: OpenScreen) -> None:
    screen.open()
    screen.settle()
    screen.page.get_by_role("button", name="3 long history, 57 films").click()
    expect(screen.page.get_by_label("User id")).to_have_value("3")
    expect(screen.films()).to_have_count(3)
    expect(screen.page.get_by_text("All other films have been seen.")).to_be_visible()
    expect(screen.films("History")).to_have_count(50)
    screen.page.get_by_role("button", name="Show more (7)").click()
    expect(screen.films("History")).to_have_count(57)
    colleague = open_screen(screen.client)
    colleague.page.goto(screen.page.url)
    assert colleague.ids() == screen.ids()
    screen.page.go_back()
    assert screen.ids() == asked(screen.client, "/users/2/recommendations")


@pytest.mark.long
def test_an_unknown_user_gets_popular_films_and_is_told_so(screen: Screen) -> None:
    screen.open("#user?id=<b>nobody</b>%2F..")
    assert screen.ids() == asked(screen.client, "/items/popular")
    expect(screen.page.get_by_text("The model knows nothing of this user")).to_be_visible()
    expect(screen.page.get_by_text("The model knows no such user.")).to_be_visible()
    assert screen.page.locator("b, [role=alert]").count() == 0


@pytest.mark.long
def test_every_control_changes_list_address_and_curl(screen: Screen, open_screen: OpenScreen) -> None:
    screen.open("#user?id=2")
    page = screen.page
    screen.settle()
    page.get_by_text("Filters").click()
    page.locator("#k").select_option("20")
    page.locator("summary[aria-labelledby*=genres]").click()
    page.get_by_role("checkbox", name=re.compile("^Comedy")).check()
    page.get_by_role("checkbox", name=re.compile("^Horror")).check()
    page.keyboard.press("Escape")
    page.get_by_label("Year from").fill("1955")
    page.get_by_label("Year to").fill("1990")
    page.get_by_role("slider").fill("0.5")
    page.get_by_role("checkbox", name="Films already seen, too").check()
    conditions = quote_plus("genres:Comedy OR genres:Horror AND year >= 1955 AND year <= 1990")
    query = f"k=20&filter={conditions}&diversity=0.5&include_seen=true"
    page.wait_for_url(re.compile("to.year=1990"))
    expect(page.locator("pre")).to_contain_text(f"/users/2/recommendations?{query}&explain=true")
    assert screen.ids() == asked(screen.client, f"/users/2/recommendations?{query}")
    colleague = open_screen(screen.client)
    colleague.page.goto(page.url)
    assert colleague.ids() == screen.ids()
    assert colleague.page.get_by_label("Year from").input_value() == "1955"
    expect(colleague.page.locator("output")).to_have_text("0.5")


@pytest.mark.long
def test_columns_of_every_type_can_be_filtered_by_and_are_shown(screen: Screen) -> None:
    screen.open("#film")
    page = screen.page
    screen.settle()
    page.get_by_text("Filters").click()
    page.get_by_label("Price from").fill("4.5")
    page.get_by_label("since to").fill("1970-01-21")
    page.get_by_label("on loan").select_option("yes")
    page.wait_for_url(re.compile("is.on_loan=true"))
    page.locator("summary[aria-labelledby*=studio]").click()
    page.get_by_role("checkbox", name=re.compile("^Blue")).check()
    wanted = "on_loan = true AND price >= 4.5 AND since <= 1970-01-21 AND studio:Blue"
    expect(page.locator("pre")).to_contain_text(quote_plus(wanted))
    popular = "What most people like"
    assert screen.ids(popular) == asked(screen.client, f"/items/popular?filter={quote_plus(wanted)}") == [13, 19]
    first = screen.films(popular).first
    expect(first.locator(".facts")).to_contain_text("6.5 · Blue · on loan · 1970-01-13")
    expect(first.locator("img")).to_have_js_property("complete", True)
    assert first.locator("img").evaluate("picture => picture.naturalWidth > 0")


@pytest.mark.long
def test_pictures_come_from_the_own_host_and_allowed_ones_and_other_links_are_links(screen: Screen) -> None:
    screen.open("#film?id=11")
    facts = screen.page.locator(".facts-of-film")
    expect(facts.locator("img")).to_have_attribute("src", f"{PICTURES}/10.png")
    expect(facts.get_by_role("link", name="shop")).to_have_attribute("href", "https://shop.example/10")
    expect(facts.get_by_text("<i>Plot 11</i>")).to_be_visible()
    policy = screen.client.get("/").headers["content-security-policy"]
    assert f"img-src 'self' {PICTURES};" in policy


@pytest.mark.long
def test_a_list_that_filters_empty_says_why_and_can_be_cleared(screen: Screen) -> None:
    screen.open("#user?id=2&from.year=2050&in.genres=Horror")
    expect(screen.page.get_by_text("No film is left. There would be more without the filters.")).to_be_visible()
    screen.page.get_by_role("button", name="Clear the filters").click()
    assert screen.ids() == asked(screen.client, "/users/2/recommendations")


@pytest.mark.long
def test_a_value_that_the_service_refuses_is_explained(screen: Screen) -> None:
    screen.open("#user?id=2&k=1000")
    expect(screen.page.get_by_role("alert")).to_contain_text("less than or equal to 100")
    screen.page.get_by_text("Filters").click()
    screen.page.locator("#k").select_option("10")
    expect(screen.films()).to_have_count(10)


@pytest.mark.long
def test_somebody_new_finds_films_by_keyboard_and_the_list_moves(screen: Screen) -> None:
    screen.open("#new")
    assert screen.ids() == asked(screen.client, "/items/popular")
    find = screen.page.get_by_role("combobox", name="Find a film by its title")
    find.fill("ame")
    screen.page.get_by_role("option", name="Amélie").wait_for()
    find.press("Enter")
    screen.page.wait_for_url(re.compile("liked=3"))
    expect(screen.page.get_by_text("made from your choices")).to_be_visible()
    assert screen.ids() == folded_in(screen, [3], [])
    find.type("Film 2")
    screen.page.get_by_role("option").nth(7).wait_for()
    find.press("ArrowDown")
    find.press("Shift+Enter")
    screen.page.wait_for_url(re.compile("disliked=21"))
    assert screen.ids() == folded_in(screen, [3], [21])
    expect(screen.films().locator(".mark")).to_have_count(10)
    choices = screen.page.get_by_role("region", name="Your choices")
    assert [text.split("\n")[0] for text in choices.get_by_role("listitem").all_inner_texts()] == ["Amélie", "Film 21"]


def folded_in(screen: Screen, liked: list[int], disliked: list[int]) -> list[int]:
    answer = screen.client.post("/recommendations", {"liked": liked, "disliked": disliked})
    return [item["id"] for item in answer.json["items"]]


@pytest.mark.long
def test_each_click_on_a_film_moves_the_list_and_a_second_one_takes_it_back(screen: Screen) -> None:
    screen.open("#new")
    (first, second, *_) = screen.ids()
    screen.films().first.get_by_role("button", name=re.compile("^Like")).click()
    screen.page.wait_for_url(re.compile(f"liked={first}"))
    assert first not in screen.ids()
    choices = screen.page.get_by_role("region", name="Your choices")
    choices.get_by_role("button", name=re.compile("^Dislike")).click()
    screen.page.wait_for_url(re.compile(f"#new.disliked={first}$"))
    assert screen.ids() == folded_in(screen, [], [first])
    choices.get_by_role("button", name=re.compile("^Dislike")).click()
    assert screen.ids()[:2] == [first, second]


@pytest.mark.long
def test_a_colleague_sees_the_titles_of_choices_that_came_with_the_address(screen: Screen) -> None:
    screen.open("#new?liked=3&disliked=1&liked=999")
    choices = screen.page.get_by_role("region", name="Your choices")
    for title in ("Amélie", ODD_TITLES[0], "999"):
        expect(choices.get_by_role("link", name=title)).to_be_visible()
    screen.page.get_by_role("button", name="Start again").click()
    assert screen.ids() == asked(screen.client, "/items/popular")


@pytest.mark.long
def test_a_film_has_its_facts_and_the_films_like_it(screen: Screen) -> None:
    screen.open("#film")
    assert screen.ids("What most people like") == asked(screen.client, "/items/popular")
    screen.page.get_by_role("link", name="Amélie").click()
    expect(screen.page.get_by_role("heading", name="Amélie")).to_be_visible()
    expect(screen.page.get_by_text(f"Liked by {N_FILMS - 2} people in the training data")).to_be_visible()
    assert screen.ids("Films like it") == asked(screen.client, "/items/3/similar")
    screen.open("#film?id=999")
    expect(screen.page.get_by_role("alert")).to_contain_text("The model knows no such film. Find one by its title.")


@pytest.mark.long
def test_versions_side_by_side_show_what_stays_comes_and_goes(screen: Screen) -> None:
    wait_until(lambda: len(screen.client.get("/versions").json["versions"]) == 2)
    screen.open("#versions?id=2")
    ours, theirs = (screen.ids(name) for name in ("production", "challenger"))
    assert (ours, theirs) == (
        asked(screen.client, "/users/2/recommendations"),
        asked(screen.client, "/users/2/recommendations?alias=challenger"),
    )
    stay = len(set(ours) & set(theirs))
    expect(screen.page.locator(".change")).to_contain_text(f"{10 - stay} come")
    assert screen.films("production").get_by_text("goes", exact=True).count() == 10 - stay
    assert screen.films("challenger").get_by_text("new", exact=True).count() == 10 - stay
    expect(screen.page.get_by_role("heading", name="Version 8 challenger")).to_be_visible()
    expect(screen.page.get_by_role("link", name="This version in MLflow").first).to_have_attribute(
        "href", re.compile("/#/models/movie-recommender/versions/7$")
    )


@pytest.mark.long
def test_now_shows_the_figures_of_the_replica_that_answers(screen: Screen) -> None:
    screen.client.get("/users/2/recommendations")
    screen.open("#now")
    status = screen.client.get("/status").json
    expect(screen.page.get_by_text(f"one replica, {status['replica']},")).to_be_visible()
    summary = screen.page.get_by_role("region", name="In short")
    expect(summary.locator("strong")).to_have_text(str(status["recent_lists"]["distinct_items"]))
    assert screen.ids("Shown most") == [film["id"] for film in status["recent_lists"]["most_shown"]]
    requests = screen.page.get_by_role("region", name="Requests")
    shown = int(requests.locator("strong").inner_text().replace(",", ""))
    assert 0 < shown <= sum(step["requests"] for step in status["steps"])
    assert screen.page.get_by_role("img", name=re.compile("^Latency, ms. half: .* now, .* at most")).count() == 1


@pytest.mark.long
@pytest.mark.parametrize("address", ["#user?id=2", "#new?liked=3", "#film?id=3", "#versions?id=2", "#now"])
def test_the_curl_on_the_screen_answers_what_the_screen_shows(screen: Screen, address: str) -> None:
    screen.open(address)
    screen.settle()
    commands = screen.page.locator("pre").inner_text().splitlines()
    for command in commands:
        done = subprocess.run([*shlex.split(command), "--silent"], capture_output=True, text=True, check=True)
        answer: dict[str, Any] = json.loads(done.stdout)
        assert "error" not in answer
    shown = [line for line in commands if "recommendations" in line or "similar" in line]
    assert bool(shown) == (address != "#now")


@pytest.mark.long
def test_a_title_that_no_film_has_is_said_to_be_none(screen: Screen) -> None:
    screen.open("#film")
    find = screen.page.get_by_role("combobox", name="Find a film by its title")
    find.fill("Nosuch")
    expect(screen.page.get_by_text("No film has “Nosuch” in its title.")).to_be_visible()
    find.fill("ame")
    screen.page.get_by_role("option", name="Amélie").wait_for()
    expect(screen.page.get_by_text("No film has")).to_have_count(0)


@pytest.mark.long
def test_titles_are_texts_whatever_they_hold(screen: Screen) -> None:
    screen.open("#film")
    shown = screen.titles("What most people like")
    assert shown[: len(ODD_TITLES)] == [" ".join(title.split()) for title in ODD_TITLES]
    assert screen.page.locator("main img:not(.poster), main script").count() == 0


@pytest.mark.long
def test_a_service_without_editors_says_how_to_have_some(screen: Screen) -> None:
    screen.open("#catalogue")
    expect(screen.page.get_by_text("start it with CATALOGUE_KEYS")).to_be_visible()
