"""Shows what this process did in the last minutes."""

from datetime import datetime, timezone

from anyio import to_thread
from fastapi import APIRouter

from app.contract.placement_trial import PlacementTrial
from app.contract.trial import VERDICT, Trial, read_gain
from app.events.exposures import Exposures
from app.http.dependencies import CurrentParts
from app.http.parts import Parts
from app.observability.recent_figures import Step
from app.schemas.status import (
    ArmLists,
    Latency,
    ListCounts,
    RecentListFigures,
    ShownItem,
    Status,
    StepFigures,
    TrialFigures,
    TrialGain,
)

MS_DECIMALS = 3

router = APIRouter(tags=["model"])


@router.get("/status")
async def show_status(parts: CurrentParts) -> Status:
    """Requests, latencies, errors, lists and swaps of the last 15 minutes, of the replica that answers."""
    telemetry, figures = parts.telemetry, parts.figures
    steps = [_figures(step) for step in figures.steps()]
    # In a thread: to count the films of thousands of lists takes milliseconds.
    recent = await to_thread.run_sync(telemetry.served_lists.summary)
    figures_of_lists = recent._asdict()
    top = figures_of_lists.pop("top")
    model = parts.store.current
    # A swap may have come in between.
    known = model is not None and telemetry.served_lists.are_of(model.artifact)
    most_shown = [ShownItem(lists=lists, **model.catalogue.item(row)) for row, lists in top] if model and known else []
    return Status(
        replica=figures.replica,
        started_at=_time(figures.started),
        model_version=None if model is None else model.version,
        recent_lists=RecentListFigures(**figures_of_lists, most_shown=most_shown),
        trial=_trial(parts, parts.lanes.running(model)),
        placement_trials=_placement_trials(parts),
        steps=steps,
    )


def _figures(step: Step) -> StepFigures:
    fields = step._asdict()
    p50, p95, p99 = (round(latency, MS_DECIMALS) for latency in fields.pop("latencies") or (0, 0, 0))
    latency = None if step.latencies is None else Latency(p50=p50, p95=p95, p99=p99)
    lists = {source: step.lists.get(source, 0) for source in ListCounts.model_fields}
    fields |= {"at": _time(step.at), "seconds": round(step.seconds, MS_DECIMALS), "lists": ListCounts(**lists)}
    return StepFigures(latency_ms=latency, **fields)


def _trial(parts: Parts, trial: Trial | None) -> TrialFigures | None:
    exposures, challenger = parts.exposures, parts.challenger
    if trial is None or exposures is None or challenger is None:
        return None
    target = challenger.state.target
    tags = {} if target is None or target.registered.version != trial.version else target.tags
    ends = read_gain(tags)
    return TrialFigures(
        challenger=trial.version,
        production=trial.against,
        share=trial.share,
        lists=ArmLists(**exposures.totals(trial.experiment)),
        verdict=None if VERDICT not in tags else parts.mask(tags[VERDICT]),
        gain=None if ends is None else TrialGain(value=ends[0], low=ends[1], high=ends[2]),
    )


def _placement_trials(parts: Parts) -> list[TrialFigures]:
    exposures = parts.exposures
    return [] if exposures is None else [_placed(exposures, trial) for trial in parts.placements.trials.values()]


def _placed(exposures: Exposures, trial: PlacementTrial) -> TrialFigures:
    found = exposures.verdicts.get(trial.experiment)
    gain = None if found is None or found.gain is None else {"value": found.gain, "low": found.low, "high": found.high}
    return TrialFigures(
        challenger=trial.against,
        production=trial.placement,
        share=trial.share,
        lists=ArmLists(**exposures.totals(trial.experiment)),
        verdict=None if found is None else found.sentence,
        gain=None if gain is None else TrialGain.model_validate(gain),
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
