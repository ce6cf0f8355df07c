"""Shows what this process did in the last minutes."""

from datetime import datetime, timezone

from anyio import to_thread
from fastapi import APIRouter

from app.contract.trial import Trial
from app.events.exposures import Exposures
from app.http.dependencies import CurrentExposures, CurrentFigures, CurrentLanes, CurrentStore, CurrentTelemetry
from app.observability.recent_figures import Step
from app.schemas.figures import (
    ArmLists,
    Latency,
    ListCounts,
    RecentListFigures,
    Status,
    StepFigures,
    TrialFigures,
)

MS_DECIMALS = 3

router = APIRouter(tags=["model"])


@router.get("/status")
async def show_status(
    store: CurrentStore,
    telemetry: CurrentTelemetry,
    figures: CurrentFigures,
    lanes: CurrentLanes,
    exposures: CurrentExposures,
) -> Status:
    """Requests, latencies, errors, lists and swaps of the last 15 minutes, of the replica that answers."""
    steps = [_figures(step) for step in figures.steps()]
    # In a thread: to count the films of thousands of lists takes milliseconds.
    recent = await to_thread.run_sync(telemetry.served_lists.summary)
    model = store.current
    return Status(
        replica=figures.replica,
        started_at=_time(figures.started),
        model_version=None if model is None else model.version,
        recent_lists=RecentListFigures(**recent._asdict()),
        trial=_trial(lanes.running(model), exposures),
        steps=steps,
    )


def _figures(step: Step) -> StepFigures:
    fields = step._asdict()
    p50, p95, p99 = (round(latency, MS_DECIMALS) for latency in fields.pop("latencies") or (0, 0, 0))
    latency = None if step.latencies is None else Latency(p50=p50, p95=p95, p99=p99)
    lists = {source: step.lists.get(source, 0) for source in ListCounts.model_fields}
    fields |= {"at": _time(step.at), "seconds": round(step.seconds, MS_DECIMALS), "lists": ListCounts(**lists)}
    return StepFigures(latency_ms=latency, **fields)


def _trial(trial: Trial | None, exposures: Exposures | None) -> TrialFigures | None:
    if trial is None or exposures is None:
        return None
    lists = ArmLists(**exposures.totals(trial.experiment))
    return TrialFigures(challenger=trial.version, production=trial.against, share=trial.share, lists=lists)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
