"""What counts of what the store holds."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest

from app.contract.events import DEFAULT_TYPES, Event, EventTypes
from app.contract.recommendation_id import id_maker
from app.contract.store_address import StoreAddress
from app.contract.trial import ARMS, Arm
from app.events.open_store import open_store
from app.events.placements import Placements
from app.events.rows import Answer, Impression
from app.events.store import EventStore
from app.schemas.pleased import PleasedReport
from training.data.events.snapshot import snapshot
from training.pleased.figures import differences, figures, varieties
from training.pleased.looking import publish_report
from training.pleased.report import Report
from training.pleased.shown import Shown, read_days, read_shown
from training.pleased.totals import Known, Totals

_NOW = datetime.now(timezone.utc)  # of the whole run, in which another day may begin
NOW, TODAY = _NOW.timestamp(), _NOW.date()
TYPES = EventTypes(DEFAULT_TYPES, 4.0)
KNOWN = Known({"ann": "few", "bob": "many"}, 10, frozenset({"10"}))


class World:
    def __init__(self, store: EventStore, training: str) -> None:
        self.store, self.training = store, StoreAddress(training)

    def show(self, user: str, *items: str, version: str = "7", source: str | None = None, days_ago: int = 0) -> str:
        name = id_maker(version, Arm.NONE)(user.encode()).decode()
        day = (TODAY - timedelta(days_ago)).isoformat()
        rows = [Impression(day, name, item, user, rank, None, source) for rank, item in enumerate(items, 1)]
        self.store.add(rows)
        return name

    def answer(self, user: str, *items: str, share: float = 0.5, source: str = "popular") -> str:
        name = id_maker("7", Arm.NONE)(user.encode()).decode()
        self.store.add([Answer(TODAY.isoformat(), name, user, share, json.dumps(items), 1, "home", source)])
        return name

    def say(self, user: str, item: str | None, what: str, name: str | None = None) -> None:
        self.store.append([Event(str(uuid4()), user, item, what, None, NOW, name)], NOW)

    def totals(self, first: date = TODAY) -> Totals:
        with snapshot(self.training) as store:
            return Totals.over(read_days(store, first, TODAY, ("like",), TYPES), KNOWN)

    def shown(self, first: date = TODAY) -> Shown:
        with snapshot(self.training) as store:
            return read_shown(store, first, TODAY, ("like",), TYPES)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    service = training = f"sqlite:///{tmp_path}/events.db"
    if request.param == "postgresql":
        server = request.getfixturevalue("events_database")
        service, training = server.url("events_service"), server.url("events_training")
    with closing(open_store(StoreAddress(service))) as store:
        store.latest()
        yield World(store, training)


def test_the_last_word_about_a_film_of_a_list_counts_and_only_with_the_list_s_id(world: World) -> None:
    ann, bob = world.show("ann", "10", "20"), world.show("bob", "10", "20", version="8")
    world.say("ann", "10", "like", ann)
    world.say("ann", "20", "like", ann)
    world.say("ann", "20", "dislike", ann)
    world.say("ann", "20", "click", ann)
    world.say("bob", "10", "like")  # names no list
    world.say("bob", "20", "like", ann)  # of somebody else's
    world.say("bob", "20", "click", bob)
    found = {(each.dimension, each.group): each for each in figures(world.totals(), 0.95)}
    everything = found["all", "all"]
    assert (everything.lists, everything.shown, everything.clicks, everything.successes) == (2, 4, 2, 1)
    assert (found["version", "7"].successes, found["version", "8"].successes) == (1, 0)
    assert (found["films", "rated"].shown, found["films", "new"].shown) == (2, 2)
    assert found["placement", "unknown"].shown == 4
    assert found["people", "few"].clicks == found["people", "many"].clicks == 1


def test_in_a_trial_of_placements_a_list_counts_for_that_whose_rules_made_it(world: World) -> None:
    for name, body in (("home-b", "{}"), ("home", '{"trial": {"against": "home-b", "share": 0.5}}')):
        world.store.append([Event(str(uuid4()), "ann", name, "placement", None, NOW, body=body)], NOW)
    placements, day = Placements(), TODAY.isoformat()
    placements.add(world.store.read_changes_after(0, 9))
    trial = placements.trials["home"]
    for number, arm in enumerate((*ARMS, Arm.CHALLENGER)):
        name = id_maker("7", Arm.NONE, trial.secret, arm)(b"ann").decode()
        user = "ann" if number < len(ARMS) else "bob"  # who names somebody else's list
        world.store.add([Impression(day, name, "10", user, 1, "home")])
    totals = Totals.over([world.shown()], KNOWN, ("placement",))
    found = {each.group: each.lists for each in figures(totals, 0.95)}
    assert found == {"home": 2, "home-b": 1}


def test_of_a_robot_nothing_counts_and_of_a_person_and_day_ten_lists(world: World) -> None:
    for _ in range(12):
        world.say("ann", "10", "like", world.show("ann", "10"))
    for _ in range(201):
        world.show("robot", "10")
    world.show("gone", "10")
    world.say("gone", None, "forget")
    shown = world.shown()
    assert len(shown.items) == 10
    assert list(shown.left_out.values()) == [1, 2, 0]
    [variety] = varieties(world.totals(), KNOWN.n_items)
    assert (variety.coverage, variety.repeated, variety.fresh) == (0.1, 0.9, 0)


def test_days_are_added_up_and_what_a_person_saw_on_another_day_is_repeated(world: World) -> None:
    for days_ago, version, items in ((2, "7", "10 20"), (1, "8", "20 30"), (0, "7", "10 30 40")):
        world.say("ann", "30", "like", world.show("ann", *items.split(), version=version, days_ago=days_ago))
    world.show("bob", "10", version="7", days_ago=1)
    report = Report.of(world.totals(TODAY - timedelta(2)), KNOWN.n_items, 0.95, TODAY - timedelta(2), TODAY)
    [everything] = [each for each in report.figures if each.dimension == "all"]
    assert (everything.people, everything.lists, everything.shown, everything.successes) == (2, 4, 8, 2)
    assert [(each.version, each.coverage, each.repeated) for each in report.variety] == [
        ("7", 0.4, pytest.approx(2 / 6)),
        ("8", 0.2, 0.5),
    ]
    [people] = [each for each in report.figures if each.group == "few"]
    assert (people.people, people.lists, people.shown) == (1, 3, 7)


def test_versions_that_the_same_people_saw_are_compared_person_by_person(world: World) -> None:
    for number in range(40):
        user, likes = f"user-{number}", number % 2
        for version, item in (("7", "10"), ("8", "10"), ("7", "20")):
            name = world.show(user, item, version=version)
            if likes and item == "10":
                world.say(user, item, "like", name)
    [found] = differences(world.totals(), 0.95)
    assert (found.version, found.against) == ("8", "7")
    assert found.success_rate.mean == pytest.approx(20 / 40 - 20 / 80)
    # By hand: who likes moves it by 1/40 * (1 - 1/2) - 1/80 * (1 - 2/4), and who doesn't by as much downwards.
    spread = 40 * ((1 - 0.5) / 40 - (1 - 2 * 0.25) / 80) ** 2 * 40 / 39
    assert found.success_rate.high - found.success_rate.mean == pytest.approx(2.0227 * spread**0.5, rel=1e-4)


def test_a_published_report_is_what_the_service_shows_and_a_later_one_takes_its_place(world: World) -> None:
    for user in ("ann", "bob", "eve"):
        world.say(user, "10", "like", world.show(user, "10", "20"))
    for confidence in (0.5, 0.95):
        publish_report(world.training, Report.of(world.totals(), KNOWN.n_items, confidence, TODAY, TODAY))
    assert world.store.report_days(5) == [TODAY.isoformat()]
    assert world.store.report("2026-01-01") is None
    report = PleasedReport.model_validate_json(world.store.report(TODAY.isoformat()) or "")
    assert (report.confidence, report.last, report.differences) == (0.95, TODAY, [])
    [everything] = [each for each in report.figures if each.dimension == "all"]
    assert (everything.people, everything.shown, everything.successes) == (3, 6, 3)
    [few] = [each for each in report.figures if each.group == "few"]
    assert (few.people, few.success_rate) == (1, None)  # one person has no interval


@pytest.mark.long
def test_a_hundred_thousand_showings_of_robots_change_no_other_s_figures(world: World) -> None:
    people = [f"person-{number}" for number in range(40)]
    for number, user in enumerate(people):
        name = world.show(user, "10", "20", "30")
        if number % 4 == 0:
            world.say(user, "10", "like", name)
    before = {
        (each.dimension, each.group): each
        for each in figures(Totals.over([world.shown()], KNOWN, ("rank", "people")), 0.95)
    }
    films = [str(number) for number in range(100, 600)]
    world.show("robot-2", "10")
    for _ in range(201):  # many lists, and all that is on them liked, also in the names of others
        name = world.show("robot-0", *films[:500])
        world.say("robot-0", films[0], "like", name)
        world.say(people[1], films[0], "like", name)
    for _ in range(12):
        world.say("robot-1", films[0], "like", world.show("robot-1", *films[:300]))
    shown = world.shown()
    assert list(shown.left_out.values()) == [1, 2, 10 * 300 - 200]
    theirs = shown.items[shown.items["user_id"].str.startswith("robot")]
    assert theirs.groupby("user_id").size().to_dict() == {"robot-1": 200, "robot-2": 1}
    people_alone = Totals.over([replace(shown, items=shown.items.drop(theirs.index))], KNOWN, ("rank", "people"))
    after = figures(people_alone, 0.95)
    assert {(each.dimension, each.group): each for each in after} == before


def test_without_impressions_answered_lists_count_for_as_many_as_their_share_says(world: World) -> None:
    ann, bob = world.answer("ann", "10", "20"), world.answer("bob", "20", share=0.25)
    world.say("ann", "20", "like", ann)
    world.say("bob", "20", "click", bob)
    world.say("eve", "10", "like", world.answer("eve", "10", source="personalised"))
    world.show("eve", "10", source="personalised")
    report = Report.of(world.totals(), KNOWN.n_items, 0.95, TODAY, TODAY)
    found = {(each.dimension, each.group): each for each in report.figures}
    everything, popular = found["all", "all"], found["source", "popular"]
    assert (popular.people, popular.lists, popular.shown, popular.clicks, popular.successes) == (2, 6, 8, 4, 2)
    assert (popular.success_rate.mean, popular.good_lists.mean) == (2 / 8, 2 / 6)
    assert (everything.lists, everything.shown, everything.successes) == (7, 9, 2)  # who looked at eve's list is known
    assert found["placement", "home"].shown == 8
    assert [(each.group, each.shown) for each in report.figures if each.dimension == "rank"] == [("1", 7), ("2", 2)]
    assert report.says[:3] == [
        f"what was on screens counts: {TODAY}",
        f"answered lists count, whoever looked at them: {TODAY}, popular, of which 0.25 are kept",
        f"answered lists count, whoever looked at them: {TODAY}, popular, of which 0.5 are kept",
    ]
    world.show("eve", "20")  # of which source, the client doesn't say: so it may be of any
    assert len(world.shown().items) == 2


def test_of_a_sample_a_person_has_the_share_of_ten_lists_a_day_and_a_robot_none(world: World) -> None:
    for _ in range(12):
        world.answer("ann", "10", share=0.3)
    for _ in range(61):
        world.answer("robot", "10", share=0.3)
    for _ in range(2):
        world.answer("bob", "10", share=0.001)
    shown = world.shown()
    assert shown.items["user_id"].value_counts().to_dict() == {"ann": 3, "bob": 1}
    assert list(shown.left_out.values()) == [1, 10, 0]
