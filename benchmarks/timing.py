"""Measures how long something takes."""

import math
import time
from collections.abc import Callable, Iterable
from statistics import median

import psutil


def processor_ms(run: Callable[[], object], times: int, warm: int = 0) -> float:
    """Milliseconds of processor time, the median of so many runs after some that don't count."""
    found = []
    for _ in range(warm + times):
        started = time.process_time()
        run()
        found.append(1000 * (time.process_time() - started))
    return median(found[warm:])


def processor_seconds(processes: Iterable[psutil.Process]) -> float:
    """What processes have taken since they began."""
    return float(sum(sum(each.cpu_times()[:2]) for each in processes))


def best_of(repeats: int, *contenders: Callable[[], object]) -> list[float]:
    """Seconds of each; they take turns, and each one's best time counts."""
    best = [math.inf] * len(contenders)
    for _ in range(repeats):
        for place, contender in enumerate(contenders):
            start = time.perf_counter()
            contender()
            best[place] = min(best[place], time.perf_counter() - start)
    return best
