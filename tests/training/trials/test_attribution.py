from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from app.contract.events import DEFAULT_TYPES, Event, EventTypes
from app.contract.placement_trial import PlacementTrial
from app.contract.recommendation_id import id_maker
from app.contract.store_address import StoreAddress
from app.contract.trial import Arm, Trial
from app.events.open_store import open_store
from app.events.rows import Exposure
from tests.postgres import Postgres
from training.data.events.snapshot import Snapshot, snapshot
from training.trials.attribution import COUNTED, NOT_COUNTED, AnyTrial, Observations, observe
from training.trials.records import Records, read_records, share_of

DAY = 86_400
FIRST = 20_000  # the first day of the trial, since 1970
NOON = FIRST * DAY + DAY / 2
TRIAL = Trial("7", "5", "films_x:7", 0.5, FIRST * DAY)
PLACED = PlacementTrial("home", "home-b", "placement:x:y", 0.5, FIRST * DAY)
KINDS = ("like", "rating", "watch", "play")
USERS = [f"u{number}" for number in range(50)]
OURS = next(user for user in USERS if TRIAL.arm(user) is Arm.CHALLENGER)
THEIRS = next(user for user in USERS if TRIAL.arm(user) is Arm.PRODUCTION)


class Story:
    """A store in which a trial runs."""

    def __init__(self, url: str, training_url: str) -> None:
        self.store, self._training_url = open_store(StoreAddress(url)), training_url
        self._numbers = count()
        self.named = dict[tuple[str, str | None], str]()  # the list in which a user saw a film

    def show(self, user: str, day: int = 0, lists: int = 1, arm: Arm | None = None, name: str | None = None) -> None:
        arm = TRIAL.arm(user) if arm is None else arm
        on = pd.Timestamp(FIRST + day, unit="D").date().isoformat()
        version = TRIAL.version if arm is Arm.CHALLENGER else TRIAL.against
        self.store.add([Exposure(on, user, name or TRIAL.experiment, arm, version, lists, 10 * lists)])

    def name(
        self,
        user: str,
        day: float,
        arm: Arm | None = None,
        version: str = "",
        trial: Trial = TRIAL,
        placed: Arm = Arm.NONE,
        secret: bytes | None = None,
    ) -> str:
        """The id of a list that the user was shown at noon of a day, or a little later."""
        arm = trial.arm(user) if arm is None else arm
        version = version or (trial.version if arm is Arm.CHALLENGER else trial.against)
        with pytest.MonkeyPatch.context() as clock:
            clock.setattr("app.contract.recommendation_id.time.time", lambda: NOON + day * DAY)
            return id_maker(version, arm, secret or trial.secret, placed)(user.encode()).decode()

    def say(self, user: str, kind: str, day: float = 0, item: str | None = "1", **fields: Any) -> None:
        """Say it about a film of a list of the day on which it was shown, if no `recommendation_id` is given."""
        number = next(self._numbers)
        time = NOON + day * DAY
        name = self.named.setdefault((user, item), self.name(user, day))
        values = {"value": None, "recommendation_id": name, **fields}
        event = Event(f"{number:08}-0000-4000-8000-000000000000", user, item, kind, occurred_at=time, **values)
        self.store.append([event], time)

    def read(self) -> AbstractContextManager[Snapshot]:
        return snapshot(StoreAddress(self._training_url))

    def records(self, trial: AnyTrial = TRIAL) -> Records:
        with self.read() as read:
            return read_records(read, trial, (b"another", PLACED.secret))

    def observe(self, min_rating: float | None = 4.0, trial: AnyTrial = TRIAL) -> Observations:
        return observe(self.records(trial), trial, KINDS, EventTypes(DEFAULT_TYPES, min_rating))

    def successes(self, trial: AnyTrial = TRIAL) -> dict[str, int]:
        users = self.observe(trial=trial).users
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


def test_lists_and_good_ones_are_counted_by_user_and_day(story: Story) -> None:
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
    assert (observed.attribution, observed.misplaced) == ({COUNTED: 2, NOT_COUNTED: 0}, 0)


def test_the_last_thing_said_for_or_against_a_film_of_the_list_counts(story: Story) -> None:
    story.show(OURS, lists=9)
    for kinds in ("like retract", "dislike like", "like click", "like watch like", "hide", "click"):
        for kind in kinds.split():
            story.say(OURS, kind, item=kinds)
    for stars in (4.0, 3.5):
        story.say(OURS, "like", item=str(stars))
        story.say(OURS, "rating", item=str(stars), value=stars)
    assert story.successes() == {OURS: 4}  # dislike like, like click, like watch like, four stars
    for share in (0.8, 0.3):
        story.say(OURS, "play", item=f"played {share}", value=share)
    assert story.successes() == {OURS: 5}


def test_a_list_in_a_trial_of_versions_and_in_one_of_placements_counts_in_both(story: Story) -> None:
    both, forged, other = USERS[:3]
    for user in (both, forged, other):
        story.show(user)
        story.show(user, name=PLACED.experiment, arm=PLACED.arm(user))
    for user, placed, secret in (
        (both, PLACED.arm(both), PLACED.secret),
        (forged, PLACED.arm(forged), TRIAL.secret),
        (other, Arm(1 - PLACED.arm(other)), PLACED.secret),
    ):
        story.say(user, "like", recommendation_id=story.name(user, 0, placed=placed, secret=secret))
    assert story.successes(PLACED) == {both: 1}
    assert story.successes(TRIAL) == {both: 1, other: 1}
    assert story.observe(trial=PLACED).attribution == {COUNTED: 1, NOT_COUNTED: 2}


def test_an_event_must_name_a_list_of_the_user_in_the_trial(story: Story) -> None:
    cases = {
        "fits": (story.name(OURS, 9), True),
        "seven days old": (story.name(OURS, 3), True),
        "older": (story.name(OURS, 3 - 1.5 / DAY), False),
        "a clock that is ten minutes late": (story.name(OURS, 10 + 600.5 / DAY), True),
        "later": (story.name(OURS, 10 + 601.5 / DAY), False),
        "tomorrow's": (story.name(OURS, 11), False),
        "of another user": (story.name(THEIRS, 9, Arm.CHALLENGER, "7"), False),
        "nonsense": ("nonsense", False),
        "none": (None, False),
        "of the other arm": (story.name(OURS, 9, Arm.PRODUCTION), False),
        "of no trial": (story.name(OURS, 9, Arm.NONE, "7"), False),
        "of another version": (story.name(OURS, 9, version="6"), False),
        "forged": (story.name(OURS, 9, trial=replace(TRIAL, salt="a guess")), False),
        "of a day without a list": (story.name(OURS, 8), False),
    }
    for day in (3, 9, 10):
        story.show(OURS, day=day)
    for item, (name, _) in cases.items():
        story.say(OURS, "like", day=10, item=item, recommendation_id=name)
    good = sum(counts for _, counts in cases.values())
    assert story.observe().attribution == {COUNTED: good, NOT_COUNTED: len(cases) - good - 1}
    assert story.successes() == {OURS: good}


def test_a_list_is_good_once_and_of_a_day_no_more_lists_are_good_than_were_shown(story: Story) -> None:
    one = story.name(OURS, 0)
    for day, lists in enumerate((1, 2, 50)):
        story.show(OURS, day=day, lists=lists)
    for item in range(30):
        story.say(OURS, "like", item=f"of one list {item}", recommendation_id=one)
        story.say(OURS, "like", day=1, item=f"of many lists {item}")
    assert story.observe().daily[["lists", "successes"]].to_numpy().tolist() == [[1, 1], [2, 2], [10, 0]]
    for item in range(30):
        story.say(OURS, "like", day=2, item=f"of very many lists {item}")
    assert story.successes() == {OURS: 10}


def test_what_was_said_before_the_trial_counts_nothing(story: Story) -> None:
    story.show(OURS)
    story.say(OURS, "like", day=-1)
    assert story.successes() == {}


def test_a_forgotten_user_is_left_out(story: Story) -> None:
    for user in (OURS, THEIRS):
        story.show(user)
        story.say(user, "like")
    story.say(OURS, "forget", item=None)
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
    assert (len(observed.daily), observed.attribution, observed.misplaced) == (0, {COUNTED: 0, NOT_COUNTED: 0}, 0)
    assert (story.records().experiment, story.records().mixed) == ("", False)


@pytest.mark.parametrize(("min_rating", "expected"), [(4.0, 1), (None, 2), (2.0, 3)])
def test_from_how_many_stars_a_rating_is_a_success_is_the_pipeline_s_rule(
    story: Story, min_rating: float | None, expected: int
) -> None:
    story.show(OURS, lists=4)
    for stars in (1.0, 2.0, 3.0, 5.0):
        story.say(OURS, "rating", item=str(stars), value=stars)
    assert story.observe(min_rating).users["successes"].tolist() == [expected]
