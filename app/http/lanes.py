"""Which version answers a user: the live one, or during a trial the one of the user's arm."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from app.contract.events import is_storable
from app.contract.recommendation_id import id_maker
from app.contract.trial import Arm, Trial
from app.events.answers import Answers
from app.events.exposures import Exposures, Tally
from app.events.placements import Placements
from app.events.profiles import Profiles
from app.http.plain_answers import PlainAnswers
from app.model.store import ServedModel
from app.observability.overlap import Overlap
from app.observability.served_lists import NotedList, ReadyList, rows_of
from app.observability.telemetry import Telemetry
from app.registry.challenger import Challenger
from app.schemas.queries import UserQuery

logger = logging.getLogger(__name__)


@dataclass
class Lane:
    """A loaded version that answers users, with their profiles; `plain` is for the front door, which fills it.

    `new_id` makes recommendation ids, None where no events are kept. `telemetry` is None where lists count for nothing;
    `arm` is that of a trial of versions, `tallies` count the lists of each trial, and `answers` keeps a share of them,
    None where none are kept.
    """

    model: ServedModel
    profiles: Profiles
    new_id: Callable[[bytes], bytes] | None = None
    telemetry: Telemetry | None = None
    tallies: tuple[Tally, ...] = ()
    overlap: Overlap | None = None
    answers: Answers | None = None
    arm: Arm = Arm.NONE
    plain: PlainAnswers | None = field(default=None, init=False)

    def id_for(self, user_id: str) -> bytes | None:
        """A new recommendation id, or None."""
        return None if self.new_id is None else self.new_id(user_id.encode())

    def count(
        self,
        user_id: str,
        source: str,
        noted: NotedList | ReadyList,
        recommendation_id: bytes | None = None,
        query: UserQuery | None = None,
        *,
        is_plain: bool = False,
    ) -> None:
        """Count a list that somebody is shown, in the event loop; a plain one was asked for by user and k alone.

        Without its id no sample holds it; without a query it has the first ranks, and no placement. Lists that are the
        same for everybody on purpose (popular or similar items, a search) are not counted: they would be fallbacks.
        """
        if self.telemetry is not None:
            self.telemetry.served(self.model, source, noted)
        for tally in self.tallies:
            tally.add(user_id, noted.length)
        if is_plain and self.overlap is not None:
            self.overlap.offer(self.model, user_id, noted)
        answers = self.answers
        if answers is not None and recommendation_id is not None and answers.keeps(recommendation_id):
            items = self.model.artifact.item_ids[rows_of(noted, self.model.artifact)].tolist()
            rank, placement = (1, None) if query is None else (query.offset + 1, query.placement)
            answers.add(user_id, recommendation_id, source, items, rank, placement)


class _Arms(NamedTuple):
    """A trial and the lanes of its arms."""

    trial: Trial
    lanes: tuple[Lane, Lane]

    def are_of(self, trial: Trial, live: ServedModel, tried: ServedModel | None) -> bool:
        """Whether they are still those of this trial and of these models."""
        return self.trial is trial and self.lanes[0].model is live and self.lanes[1].model is tried


class Lanes:
    """Finds the lane of a user.

    During a trial the arms have one each; where the version on trial is not loaded, everybody gets the live version,
    outside the trial: to leave out one arm alone would spoil the comparison. So do users whom the live version does not
    know: a client can invent as many as it likes.
    """

    def __init__(
        self,
        profiles: Profiles,
        telemetry: Telemetry,
        *,
        with_ids: bool = False,
        challenger: Challenger | None = None,
        exposures: Exposures | None = None,
        overlap: Overlap | None = None,
        placements: Placements | None = None,
        answers: Answers | None = None,
    ) -> None:
        """`with_ids` says that lists have recommendation ids, as events are kept that can name them."""
        self.with_ids, self.placements = with_ids, placements or Placements()
        self._profiles, self._telemetry = profiles, telemetry
        self._challenger, self._exposures, self._overlap = challenger, exposures, overlap
        self._answers = answers
        self._alone: Lane | None = None
        self._arms: _Arms | None = None
        self._overtaken: Trial | None = None

    def of(self, live: ServedModel, user_id: str, *, is_shown: bool = True) -> Lane:
        """The lane of a user, where `live` is the live version; `is_shown` says that the user gets the list."""
        challenger = self._challenger
        if challenger is not None and (trial := challenger.trial) is not None:
            arms = self._arms
            if arms is None or not arms.are_of(trial, live, challenger.model):
                arms = self._arms = self._begin(trial, live, challenger.model)
            if arms is not None and takes_part(live, user_id):
                return arms.lanes[trial.arm(user_id)]
            if arms is None and is_shown:
                self._note_fallback(trial, live, user_id)
        else:
            self._arms = None  # or the version that was on trial would stay in memory
        lane = self._alone
        return lane if lane is not None and lane.model is live else self.outside(live)

    def outside(self, live: ServedModel) -> Lane:
        """The lane of the live version outside any trial: for lists that belong to no user, too."""
        lane = self._alone
        if lane is None or lane.model is not live:
            lane = self._alone = self.apart(live, self._profiles, is_shown=True)
        return lane

    def preview(self, live: ServedModel, user_id: str) -> Lane:
        """A lane with the version that a user would get, whose lists count for nothing."""
        lane = self.of(live, user_id, is_shown=False)
        return self.apart(lane.model, lane.profiles)

    def apart(self, model: ServedModel, profiles: Profiles | None = None, *, is_shown: bool = False) -> Lane:
        """A lane of any version outside any trial; without `is_shown` its lists count for nothing."""
        new_id = id_maker(model.version, Arm.NONE) if self.with_ids else None
        lane = Lane(model, profiles or self._profiles.apart(), new_id)
        if not is_shown:
            return lane
        return replace(lane, telemetry=self._telemetry, overlap=self._overlap, answers=self._answers)

    def running(self, live: ServedModel | None) -> Trial | None:
        """The trial in which lists count now."""
        trial = None if self._challenger is None else self._challenger.trial
        return trial if trial is not None and live is not None and trial.against == live.version else None

    def models(self, live: ServedModel) -> list[ServedModel]:
        """The versions that answer users now."""
        tried = None if self._challenger is None else self._challenger.model
        return [live] if tried is None else [live, tried]

    def _begin(self, trial: Trial, live: ServedModel, tried: ServedModel | None) -> _Arms | None:
        """The lanes of a trial; None where it is over, or its version not loaded."""
        if trial.against != live.version or tried is None or self._exposures is None:
            return None
        lanes = []
        for arm, model, profiles in (
            (Arm.PRODUCTION, live, self.outside(live).profiles),
            (Arm.CHALLENGER, tried, self._profiles.apart()),
        ):
            tally = self._exposures.tally(trial.experiment, arm, model.version)
            new_id = id_maker(model.version, arm, trial.secret)
            lanes.append(Lane(model, profiles, new_id, self._telemetry, (tally,), answers=self._answers, arm=arm))
        return _Arms(trial, (lanes[0], lanes[1]))

    def _note_fallback(self, trial: Trial, live: ServedModel, user_id: str) -> None:
        if trial.against == live.version:
            if trial.arm(user_id) is Arm.CHALLENGER and self._exposures is not None:
                self._exposures.fell_back(trial.experiment)
            return
        if self._overtaken is not trial:
            logger.warning(
                "The trial of version %s has ended: version %s is live instead of version %s",
                trial.version,
                live.version,
                trial.against,
            )
        self._overtaken = trial


def takes_part(live: ServedModel, user_id: str) -> bool:
    """Whether a user is in trials: the live version knows them, and events can be of a user with such an id."""
    return is_storable(user_id) and live.ready_lists.user_row(user_id.encode()) is not None
