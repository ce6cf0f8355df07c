"""Which placement's rules a user gets: those of the one asked for, or during its trial those of the user's arm."""

from dataclasses import replace

from app.contract.recommendation_id import id_maker
from app.events.exposures import Exposures
from app.events.placements import Placements
from app.http.lanes import Lane, takes_part
from app.model.store import ServedModel
from app.schemas.queries import UserQuery


class PlacementArms:
    """Divides those whom the live version knows, as trials of versions do, and independently of these."""

    def __init__(self, placements: Placements, exposures: Exposures | None) -> None:
        self._placements, self._exposures = placements, exposures

    def of(self, lane: Lane, live: ServedModel, user_id: str, query: UserQuery) -> tuple[Lane, UserQuery]:
        """The lane of a user's arm, and the query for its placement; what was given, outside of a trial.

        The version stays that of the lane. A list that counts for nothing in the lane does not count here.
        """
        trial = self._placements.trials.get(query.placement or "")
        if trial is None or query.alias is not None or not takes_part(live, user_id):
            return lane, query
        arm, version = trial.arm(user_id), lane.model.version
        placed = query.model_copy(update={"placement": trial.rules_of(arm)})
        if self._exposures is None or lane.telemetry is None:
            return lane, placed
        tally = self._exposures.tally(trial.experiment, arm, version, trial.placement)
        new_id = id_maker(version, lane.arm, trial.secret, arm)
        return replace(lane, new_id=new_id, tallies=(*lane.tallies, tally)), placed
