import asyncio
import time

import pytest

from app.observability import recent_figures
from app.observability.counters import LATENCIES
from app.observability.recent_figures import RecentFigures, quantile
from app.observability.telemetry import Telemetry

SLOWEST = len(LATENCIES)


def buckets(**counts: int) -> list[int]:
    """Counts by the number of the bucket: `b3=2`."""
    return [counts.get(f"b{place}", 0) for place in range(SLOWEST + 1)]


def test_the_bounds_of_latency_rise() -> None:
    assert list(LATENCIES) == sorted(set(LATENCIES))


@pytest.mark.parametrize(
    ("counts", "share", "seconds"),
    [
        (buckets(b0=4), 0.5, 0.00025),
        (buckets(b0=4), 1, 0.0005),
        (buckets(b0=1, b1=1), 0.5, 0.0005),
        (buckets(b0=1, b1=1), 0.75, 0.00075),
        (buckets(b3=10), 0.1, 0.0025 + 0.0025 / 10),
        ({} or [0] * SLOWEST + [3], 0.5, LATENCIES[-1]),
    ],
)
def test_a_quantile_lies_within_its_bucket_as_prometheus_estimates_it(
    counts: list[int], share: float, seconds: float
) -> None:
    assert quantile(counts, share) == pytest.approx(seconds)


def test_a_step_counts_what_came_since_the_former_sample_and_no_ignored_route() -> None:
    telemetry = Telemetry()
    for status in (200, 404, 503):
        telemetry.answered("GET", "/items", status, 0.002)
    telemetry.lists.add("popular", is_short=False)
    telemetry.model.swaps = 2
    began = time.monotonic()
    figures = RecentFigures(telemetry, ignored={"/status"})
    telemetry.answered("GET", "/items", 200, 0.002)
    telemetry.answered("GET", "/items", 503, 0.002)
    telemetry.answered("GET", "none", 404, 0.002)
    telemetry.model.swaps += 3
    telemetry.answered("GET", "/status", 200, 4)
    telemetry.lists.add("popular", is_short=False)
    telemetry.lists.add("popular", is_short=False)
    telemetry.lists.add("popular", is_short=True)
    (step,) = figures.steps()
    assert (step.requests, step.refused, step.errors, step.lists, step.swaps) == (3, 1, 1, {"popular": 3}, 3)
    assert 0 <= step.seconds <= time.monotonic() - began
    assert step.latencies == pytest.approx([1.75, 2.425, 2.485])


@pytest.mark.parametrize(
    ("status", "refused", "errors"), [(399, 0, 0), (400, 1, 0), (499, 1, 0), (500, 0, 1), (599, 0, 1)]
)
def test_4xx_are_refusals_and_5xx_errors(status: int, refused: int, errors: int) -> None:
    figures = RecentFigures(telemetry := Telemetry(), ignored=())
    telemetry.answered("GET", "/items", status, 0.002)
    (step,) = figures.steps()
    assert (step.requests, step.refused, step.errors) == (1, refused, errors)


def test_steps_without_requests_have_no_latencies() -> None:
    (step,) = RecentFigures(Telemetry(), ignored=()).steps()
    assert (step.requests, step.latencies) == (0, None)


def test_a_timer_samples_and_the_oldest_step_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_figures, "STEP_SECONDS", 0.001)
    monkeypatch.setattr(recent_figures, "STEPS", 3)
    telemetry = Telemetry()
    figures = RecentFigures(telemetry, ignored=())
    telemetry.answered("GET", "/items", 200, 0.002)

    async def sample() -> None:
        figures.start()
        while sum(step.requests for step in figures.steps()):
            await asyncio.sleep(0.001)
        figures.stop()
        assert len(figures.steps()) == 4
        last = figures.steps()[-2].at
        await asyncio.sleep(0.01)
        assert figures.steps()[-2].at == last

    asyncio.run(sample())
