"""Trials of placements: which ones the event store tells of, and where the service finds how they stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contract.events import PLACEMENT
from app.contract.placement import Placement
from app.contract.placement_trial import Declared, PlacementTrial, changed, trials
from app.contract.recommendation_id import RecommendationId
from app.contract.trial import Arm
from training.data.events.snapshot import Snapshot, seconds
from training.trials.verdict import Verdict

PUBLISH = """
INSERT INTO verdict (placement, experiment, sentence, gain, low, high)
VALUES (:placement, :experiment, :sentence, :gain, :low, :high)
ON CONFLICT (placement) DO UPDATE SET experiment = excluded.experiment, sentence = excluded.sentence,
  gain = excluded.gain, low = excluded.low, high = excluded.high
"""


@dataclass(frozen=True)
class PlacementTrials:
    """Those that run now, and all that ever ran, by whose secrets lists are sealed."""

    running: tuple[PlacementTrial, ...]
    ever: tuple[PlacementTrial, ...]


def placement_trials(store: Snapshot) -> PlacementTrials:
    """Read the trials from the changes of placements, as the service does."""
    declared: dict[str, Declared] = {}
    running: dict[str, PlacementTrial] = {}
    ever: dict[str, PlacementTrial] = {}
    for edit in store.edits(PLACEMENT):
        try:
            placement = Placement.read(edit.body)
        except ValueError:  # a newer release may have written it: the service, too, goes on with the former one
            continue
        declared = changed(declared, edit.name, placement, seconds(edit.received_at), str(edit.event_id))
        running = trials(declared)
        ever |= {each.salt: each for each in running.values()}
    return PlacementTrials(tuple(running.values()), tuple(ever.values()))


def placement_of(found: RecommendationId, user: str, ever: Sequence[PlacementTrial]) -> str | None:
    """Find the placement whose rules made a user's list in a trial; None outside of trials."""
    if found.placed is Arm.NONE:
        return None
    return next((each.rules_of(found.placed) for each in ever if found.is_for(user, each.secret)), None)


def publish(store: Snapshot, trial: PlacementTrial, verdict: Verdict) -> None:
    """Put a verdict where the service finds it, in place of the former one about the placement."""
    gain, low, high = verdict.gain or (None, None, None)
    values = {"sentence": verdict.sentence, "gain": gain, "low": low, "high": high}
    store.write(PUBLISH, {"placement": trial.placement, "experiment": verdict.trial.experiment, **values})
