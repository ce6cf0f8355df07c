"""What the page shows of how lists pleased, of reports as training writes them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect
from pydantic import SecretStr

from app.contract.store_address import StoreAddress
from app.events.sqlite_store import SqliteStore
from tests.app.web.conftest import DESK, PHONE, OpenScreen, make_service_settings
from tests.browser import CHROMIUM
from tests.client import Client, serving
from training.metrics.bootstrap import Interval
from training.pleased.figures import Difference, Figure, Variety
from training.pleased.looking import publish_report
from training.pleased.report import Report

LAST = date(2026, 11, 22)
DAYS = [(LAST - timedelta(days)).isoformat() for days in reversed(range(7))]
GROUPS = [("all", "all"), ("version", "7"), ("version", "8"), ("placement", "home <b>"), ("source", "popular")]
GROUPS += [*(("rank", str(rank)) for rank in range(1, 11)), ("people", "new"), ("people", "many"), ("films", "new")]
GROUPS += [("day and version", f"{day} {version}") for day in DAYS for version in (7, 8)]


def figure(dimension: str, group: str, successes: int) -> Figure:
    rate = Interval(successes / 1000, successes / 1000 - 0.012, successes / 1000 + 0.012)
    return Figure(dimension, group, 90, 300, 1000, 2 * successes, successes, rate, rate, rate)


def report(last: date, successes: int) -> Report:
    figures = [figure(*group, successes + place) for place, group in enumerate(GROUPS)]
    alone = Interval(float("nan"), float("nan"), float("nan"))
    figures.append(Figure("placement", "mail", 1, 1, 10, 1, 1, alone, alone, alone))
    difference = Difference("8", "7", Interval(-0.004, -0.011, 0.003))
    variety = [Variety("7", 0.31, 0.2, 0.05), Variety("8", 0.42, 0.1, 0.07)]
    return Report(last - timedelta(6), last, 0.95, figures, [difference], variety, ["left out: 2 people"])


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The service with reports of two weeks, and one that it can't read."""
    folder = tmp_path_factory.mktemp("pleased")
    url = f"sqlite:///{folder}/events.db"
    with closing(SqliteStore(folder / "events.db")) as store:
        store.latest()
    for last, successes in ((LAST, 52), (LAST - timedelta(7), 40)):
        publish_report(StoreAddress(url), report(last, successes))
    with closing(sqlite3.connect(folder / "events.db", isolation_level=None)) as events:
        events.execute("INSERT INTO pleased VALUES ('2026-11-01', '{\"first\": 1}')")
    with serving(make_service_settings(folder, events_url=SecretStr(url))) as running:
        yield running


def test_the_route_answers_the_latest_report_or_that_of_a_day(client: Client) -> None:
    latest, former = client.get("/pleased").json, client.get("/pleased?to=2026-11-15").json
    assert latest["days"] == ["2026-11-22", "2026-11-15", "2026-11-01"]
    assert (latest["report"]["last"], former["report"]["last"]) == ("2026-11-22", "2026-11-15")
    assert latest["report"]["figures"][0]["success_rate"] == pytest.approx({"value": 0.052, "low": 0.04, "high": 0.064})
    assert [client.get(f"/pleased?to={day}").json["report"] for day in ("2026-11-01", "2026-10-01")] == [None, None]
    assert client.get("/pleased?to=monday").json["error"]["code"] == "invalid_parameter"


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize(
    ("theme", "width"), [("light", DESK), pytest.param("dark", PHONE, marks=[pytest.mark.pages, pytest.mark.long])]
)
def test_somebody_sees_what_pleased_and_where_chance_ends(
    open_screen: OpenScreen, client: Client, theme: str, width: int
) -> None:
    screen = open_screen(client, width, theme)
    screen.open("#pleased")
    page = screen.page
    rate = page.get_by_role("region", name="Successes of shown films")
    expect(rate).to_contain_text("5.20 of 100")
    expect(rate).to_contain_text("interval 4.00 to 6.40")
    days = page.get_by_role("region", name="Day by day")
    expect(days.locator("figcaption .key")).to_have_count(2)
    expect(days.locator("path.spread")).to_have_count(14)
    days.get_by_text("As a table").focus()
    page.keyboard.press("Enter")
    expect(days.get_by_role("row")).to_have_count(8)
    expect(page.get_by_role("region", name="Placement")).to_contain_text("home <b>")
    expect(page.get_by_role("region", name="Placement")).to_contain_text("too few people for an interval")
    expect(page.get_by_role("region", name="Versions compared")).to_contain_text("version 8 against 7")
    expect(page.get_by_role("region", name="Variety")).to_contain_text("42%")
    assert screen.violations() == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Week until").select_option("2026-11-15")
    page.wait_for_url("**/#pleased?to=2026-11-15")
    expect(rate).to_contain_text("4.00 of 100")
    page.get_by_label("Week until").select_option("2026-11-01")
    expect(page.get_by_text("There are no figures yet")).to_be_visible()
