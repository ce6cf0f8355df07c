from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from app.contract.events import Event
from app.contract.recommendation_id import id_maker
from app.contract.trial import Arm, Trial
from app.events.store import Exposure, open_store
from tests.postgres import Postgres
from training.data.events.snapshot import address_of, snapshot
from training.trials.attribution import BY_ID, BY_LAST_ARM, NOT_ATTRIBUTED, Observations, observe
from training.trials.records import Records, read_records, share_of

DAY = 86_400
FIRST = 20_000  # the first day of the trial, since 1970
NOON = FIRST * DAY + DAY / 2
TRIAL = Trial("7", "5", "films_x:7", 0.5, FIRST * DAY)
KINDS = ("like", "rating", "watch")
USERS = [f"u{number}" for number in range(50)]
OURS = next(user for user in USERS if TRIAL.arm(user) is Arm.CHALLENGER)
THEIRS = next(user for user in USERS if TRIAL.arm(user) is Arm.PRODUCTION)


class Story:
    """A store in which a trial runs."""

    def __init__(self, url: str, training_url: str) -> None:
        self.store, self._training_url = open_store(url), training_url
        self._numbers = count()

    def show(self, user: str, day: int = 0, lists: int = 1, arm: Arm | None = None, name: str | None = None) -> None:
        arm = TRIAL.arm(user) if arm is None else arm
        on = pd.Timestamp(FIRST + day, unit="D").date().isoformat()
        version = TRIAL.version if arm is Arm.CHALLENGER else TRIAL.against
        self.store.append_exposures([Exposure(on, user, name or TRIAL.experiment, arm, version, lists, 10 * lists)])

    def say(self, user: str, kind: str, day: float = 0, item: str = "1", **fields: Any) -> None:
        number = next(self._numbers)
        values = {"stars": None, "recommendation_id": None, **fields}
        time = NOON + day * DAY
        event = Event(f"{number:08}-0000-4000-8000-000000000000", user, item, kind, occurred_at=time, **values)  # type: ignore[arg-type]
        self.store.append([event], time)

    def records(self) -> Records:
        with snapshot(address_of(self._training_url, Path())) as read:
            return read_records(read.connection, TRIAL)

    def observe(self, min_rating: float | None = 4.0) -> Observations:
        return observe(self.records(), TRIAL, KINDS, min_rating)

    def successes(self) -> dict[str, int]:
        users = self.observe().users
        return {str(user): int(number) for user, number in users["successes"].items() if number}


@pytest.fixture(params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    if request.param == "sqlite":
        story = Story(*[f"sqlite:///{tmp_path}/events.db"] * 2)
    else:
        server: Postgres = request.getfixturevalue("events_database")
        story = Story(server.url("events_service"), server.url("events_training"))
    yield story
    story.store.close()


def id_of(user: str, arm: Arm, day: float, monkeypatch: pytest.MonkeyPatch, version: str = "7") -> str:
    with monkeypatch.context() as clock:
        clock.setattr("app.contract.recommendation_id.time.time", lambda: NOON + day * DAY)
        return id_maker(version, arm)(user.encode()).decode()


def test_lists_and_successes_are_counted_by_user_and_day(story: Story) -> None:
    story.show(OURS, lists=2)
    story.show(OURS, lists=3)
    story.show(OURS, day=2, lists=4)
    story.show(THEIRS, day=1)
    story.say(OURS, "like", day=2)
    story.say(OURS, "watch", day=2, item="2")
    story.say("a stranger", "like")
    observed = story.observe()
    found = observed.daily[["user_id", "arm", "day", "lists", "successes"]].to_numpy(dtype=object).tolist()
    assert sorted(found) == sorted([[OURS, 1, FIRST, 5, 0], [OURS, 1, FIRST + 2, 4, 2], [THEIRS, 0, FIRST + 1, 1, 0]])
    assert observed.users.loc[OURS].to_dict() == {"arm": 1, "lists": 9, "successes": 2}
    assert (observed.attribution, observed.misplaced) == ({BY_LAST_ARM: 2}, 0)


def test_the_last_thing_said_for_or_against_a_film_counts(story: Story) -> None:
    story.show(OURS)
    for kinds in ("like retract", "dislike like", "like click", "like watch like", "hide", "click"):
        for kind in kinds.split():
            story.say(OURS, kind, item=kinds)
    for stars in (4.0, 3.5):
        story.say(OURS, "like", item=str(stars))
        story.say(OURS, "rating", item=str(stars), stars=stars)
    assert story.successes() == {OURS: 4}  # dislike like, like click, like watch like, four stars


def test_a_list_that_an_event_names_must_fit_user_time_and_arm(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {
        "fits": (id_of(OURS, Arm.CHALLENGER, 9, monkeypatch), BY_ID),
        "seven days old": (id_of(OURS, Arm.CHALLENGER, 3, monkeypatch), BY_ID),
        "older": (id_of(OURS, Arm.CHALLENGER, 3 - 1.5 / DAY, monkeypatch), BY_LAST_ARM),
        "a clock that is ten minutes late": (id_of(OURS, Arm.CHALLENGER, 10 + 600.5 / DAY, monkeypatch), BY_ID),
        "later": (id_of(OURS, Arm.CHALLENGER, 10 + 601.5 / DAY, monkeypatch), BY_LAST_ARM),
        "eight days old": (id_of(OURS, Arm.CHALLENGER, 1.9, monkeypatch), BY_LAST_ARM),
        "tomorrow's": (id_of(OURS, Arm.CHALLENGER, 11, monkeypatch), BY_LAST_ARM),
        "of another user": (id_of(THEIRS, Arm.CHALLENGER, 9, monkeypatch), BY_LAST_ARM),
        "nonsense": ("nonsense", BY_LAST_ARM),
        "none": (None, BY_LAST_ARM),
        "of the other arm": (id_of(OURS, Arm.PRODUCTION, 9, monkeypatch, "5"), NOT_ATTRIBUTED),
        "of no trial": (id_of(OURS, Arm.NONE, 9, monkeypatch, "5"), NOT_ATTRIBUTED),
        "of another version": (id_of(OURS, Arm.CHALLENGER, 9, monkeypatch, "6"), NOT_ATTRIBUTED),
    }
    story.show(OURS, day=8)
    for item, (name, _) in cases.items():
        story.say(OURS, "like", day=10, item=item, recommendation_id=name)
    expected = [how for _, how in cases.values()]
    assert story.observe().attribution == {how: expected.count(how) for how in (BY_ID, BY_LAST_ARM, NOT_ATTRIBUTED)}
    assert story.successes() == {OURS: expected.count(BY_ID) + expected.count(BY_LAST_ARM)}


def test_without_an_id_only_a_list_of_the_seven_days_before_counts(story: Story) -> None:
    story.show(OURS, day=2)
    for day in (0, 1, 2, 9, 10):
        story.say(OURS, "like", day=day, item=str(day))
    assert story.observe().attribution == {BY_LAST_ARM: 2, NOT_ATTRIBUTED: 3}


def test_what_was_said_before_the_trial_counts_nothing(story: Story) -> None:
    story.show(OURS)
    story.say(OURS, "like", day=-1)
    assert story.successes() == {}


def test_a_success_with_a_batch_s_list_counts_from_the_first_list_that_counts(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.say(OURS, "like", day=1, recommendation_id=id_of(OURS, Arm.CHALLENGER, 1, monkeypatch))
    story.show(OURS, day=3)
    assert story.observe().daily[["day", "lists", "successes"]].to_numpy().tolist() == [[FIRST + 3, 1, 1]]


def test_a_forgotten_user_is_left_out(story: Story) -> None:
    for user in (OURS, THEIRS):
        story.show(user)
        story.say(user, "like")
    story.say(OURS, "forget", item=None)  # type: ignore[arg-type]
    assert story.observe().users.index.tolist() == [THEIRS]


def test_users_in_an_arm_that_is_not_theirs_are_left_out_and_told(story: Story) -> None:
    for user in USERS[:9]:
        story.show(user)
    other = Arm.CHALLENGER if TRIAL.arm(USERS[9]) is Arm.PRODUCTION else Arm.PRODUCTION
    story.show(USERS[9], arm=other)
    observed = story.observe()
    assert observed.misplaced == pytest.approx(0.1)
    assert USERS[9] not in observed.users.index


def test_a_raised_share_is_an_experiment_of_its_own(story: Story) -> None:
    story.show("early", name="films_x:7@0.1")
    story.show("another trial's", name="filmsyx:7@0.9")
    story.show(OURS, day=1)
    story.show(THEIRS, day=2)
    records = story.records()
    assert (records.experiment, records.mixed) == ("films_x:7@0.5", False)
    assert set(records.exposures["user_id"]) == {OURS, THEIRS}
    assert share_of(records.experiment) == 0.5
    story.show("late", day=2, name="films_x:7@0.1")
    story.show(OURS, day=3)
    assert story.records().mixed


def test_before_the_first_list_there_is_nothing_to_see(story: Story) -> None:
    story.say(OURS, "like")
    observed = story.observe()
    assert (len(observed.daily), observed.attribution, observed.misplaced) == (0, {}, 0)
    assert (story.records().experiment, story.records().mixed) == ("", False)


@pytest.mark.parametrize(("min_rating", "expected"), [(4.0, 1), (None, 2), (2.0, 3)])
def test_from_how_many_stars_a_rating_is_a_success_is_the_pipeline_s_rule(
    story: Story, min_rating: float | None, expected: int
) -> None:
    story.show(OURS)
    for stars in (1.0, 2.0, 3.0, 5.0):
        story.say(OURS, "rating", item=str(stars), stars=stars)
    assert story.observe(min_rating).users["successes"].tolist() == [expected]
