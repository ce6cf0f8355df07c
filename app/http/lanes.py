"""Which version answers a user: the live one, or during a trial the one of the user's arm."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from app.contract.events import MAX_ID_LENGTH
from app.contract.recommendation_id import id_maker
from app.contract.trial import Arm, Trial
from app.events.exposures import Exposures, Shown
from app.events.profiles import Profiles
from app.http.plain_answers import PlainAnswers
from app.model.store import ServedModel
from app.registry.challenger import Challenger

logger = logging.getLogger(__name__)


@dataclass
class Lane:
    """A loaded version that answers users, with their profiles; `plain` is for the front door, which fills it.

    `new_id` makes recommendation ids, None where no events are kept. `trial` and `arm` say what its lists count for.
    """

    model: ServedModel
    profiles: Profiles
    new_id: Callable[[bytes], bytes] | None = None
    arm: Arm = Arm.NONE
    trial: Trial | None = None
    exposures: Exposures | None = None
    plain: PlainAnswers | None = field(default=None, init=False)

    def id_for(self, user_id: str) -> bytes | None:
        """A new recommendation id, or None."""
        return None if self.new_id is None else self.new_id(user_id.encode())

    def shown(self, user_id: str, films: int) -> None:
        """Count a list that a user got, if it is part of a trial."""
        if self.trial is not None and self.exposures is not None:
            self.exposures.add(Shown(self.trial.experiment, self.arm, self.model.version, user_id, films))


class Lanes:
    """Finds the lane of a user.

    During a trial the arms have one each; where the version on trial is not loaded, everybody gets the live version,
    outside the trial: to leave out one arm alone would spoil the comparison.
    """

    def __init__(
        self,
        profiles: Profiles,
        *,
        with_ids: bool = False,
        challenger: Challenger | None = None,
        exposures: Exposures | None = None,
    ) -> None:
        """`with_ids` says that lists have recommendation ids, as events are kept that can name them."""
        self.with_ids = with_ids
        self._profiles, self._challenger, self._exposures = profiles, challenger, exposures
        self._alone: Lane | None = None
        self._arms: tuple[Lane, Lane] | None = None
        self._overtaken: Trial | None = None

    def of(self, live: ServedModel, user_id: str) -> Lane:
        """The lane of a user, where `live` is the live version."""
        trial = None if self._challenger is None else self._challenger.trial
        if trial is None:
            self._arms = None  # or the version that was on trial would stay in memory
            return self.outside(live)
        return self._in_trial(trial, live, user_id)

    def outside(self, live: ServedModel) -> Lane:
        """The lane of the live version outside any trial: for lists that belong to no user, too."""
        lane = self._alone
        if lane is None or lane.model is not live:
            lane = self._alone = self.apart(live, self._profiles)
        return lane

    def apart(self, model: ServedModel, profiles: Profiles | None = None) -> Lane:
        """A lane of any version, whose lists count for nothing."""
        new_id = id_maker(model.version, Arm.NONE) if self.with_ids else None
        return Lane(model, profiles or self._profiles.apart(), new_id)

    def running(self, live: ServedModel | None) -> Trial | None:
        """The trial in which lists count now."""
        trial = None if self._challenger is None else self._challenger.trial
        return trial if trial is not None and live is not None and trial.against == live.version else None

    def models(self, live: ServedModel) -> list[ServedModel]:
        """The versions that answer users now."""
        tried = None if self._challenger is None else self._challenger.model
        return [live] if tried is None else [live, tried]

    def _in_trial(self, trial: Trial, live: ServedModel, user_id: str) -> Lane:
        model = None if self._challenger is None else self._challenger.model
        if trial.against != live.version:
            self._say_overtaken(trial, live)
            return self.outside(live)
        if len(user_id) > MAX_ID_LENGTH or "\0" in user_id:  # no event can be of such a user
            return self.outside(live)
        arm = trial.arm(user_id)
        if model is None or model.version != trial.version:
            if arm is Arm.CHALLENGER and self._exposures is not None:
                self._exposures.fell_back(trial.experiment)
            return self.outside(live)
        return self._lanes_of(trial, live, model)[arm]

    def _lanes_of(self, trial: Trial, live: ServedModel, model: ServedModel) -> tuple[Lane, Lane]:
        lanes = self._arms
        if (
            lanes is None
            or lanes[0].trial is not trial
            or lanes[Arm.PRODUCTION].model is not live
            or lanes[Arm.CHALLENGER].model is not model
        ):
            kept = self.outside(live).profiles, self._profiles.apart()
            lanes = self._arms = (
                self._arm(Arm.PRODUCTION, trial, live, kept[0]),
                self._arm(Arm.CHALLENGER, trial, model, kept[1]),
            )
        return lanes

    def _arm(self, arm: Arm, trial: Trial, model: ServedModel, profiles: Profiles) -> Lane:
        return Lane(model, profiles, id_maker(model.version, arm), arm, trial, self._exposures)

    def _say_overtaken(self, trial: Trial, live: ServedModel) -> None:
        if self._overtaken is not trial:
            logger.warning(
                "The trial of version %s has ended: version %s is live instead of version %s",
                trial.version,
                live.version,
                trial.against,
            )
        self._overtaken = trial
