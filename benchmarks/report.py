"""The tables of benchmarks/serving.py, in Markdown that reads well in a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Load
from benchmarks.servers import Memory

# the better route, the other; by processor time and by req/s, at least so many times the other
RATES: tuple[tuple[str, str, float | None, float | None], ...] = (
    ("ours, plain", "mlflow models serve", 120, 90),
    ("ours, plain", "FastAPI, constant", 3, 2.8),
    ("ours, plain", "FastAPI, constant, no access log", None, None),
    ("ours, plain", "bare ASGI, constant", None, None),
    ("ours, filtered", "mlflow models serve", 35, None),
    ("ours, plain", "BentoML", None, None),
    ("ours, plain", "LitServe", None, None),
)
AT, MANY = 16, 64
OURS = "ours, "
START_SECONDS, RESIDENT, TAIL, SECOND_WORKER, MOST_MS = 1.2, 120.0, 3.0, 50.0, 2.0


@dataclass(frozen=True)
class Measured:
    """One route: load by number of connections, seconds from start to first answer, RSS then, memory after the load."""

    loads: Mapping[int, Load]
    start: float
    resident: float
    memory: Memory


@dataclass(frozen=True)
class Workers:
    """Memory of the service's process tree with one worker and with two."""

    one: Memory
    two: Memory

    @property
    def second(self) -> float:
        """MB that one of two workers shares with nobody: the two largest processes are the workers."""
        return sorted(self.two.uss_of_each)[-2]


def markdown(found: Mapping[str, Measured], workers: Workers | None, wrong: Mapping[str, str]) -> str:
    """All tables."""
    parts = [table(*_rates(found)), table(*_footprints(found)), table(*_marks(found, workers))]
    if workers:
        parts.append(table(*_workers(workers)))
    parts += [f"Left out: {name} {problem}" for name, problem in wrong.items()]
    return "\n\n".join(parts) + "\n"


def _rates(found: Mapping[str, Measured]) -> tuple[list[str], list[list[str]]]:
    header = ["", "connections", "processor, ms a request", "req/s", "p50, ms", "p99, ms", "errors"]
    return header, [
        [
            *(name, str(connections), f"{one.processor_ms:.3f}"),
            *(f"{one.rate:,.0f}", f"{one.p50:.2f}", f"{one.p99:.2f}", str(one.errors)),
        ]
        for name, measured in found.items()
        for connections, one in measured.loads.items()
    ]


def _footprints(found: Mapping[str, Measured]) -> tuple[list[str], list[list[str]]]:
    header = ["", "start to first answer, s", "RSS then, MB", "PSS, MB", "USS, MB", "RSS, MB", "processes"]
    return header, [
        [name, f"{one.start:.2f}", f"{one.resident:.0f}", *_megabytes(one.memory), str(len(one.memory.uss_of_each))]
        for name, one in found.items()
    ]


def _workers(workers: Workers) -> tuple[list[str], list[list[str]]]:
    header = ["ours", "PSS, MB", "USS, MB", "RSS, MB", "USS of each process, MB"]
    return header, [
        [name, *_megabytes(memory), ", ".join(f"{uss:.0f}" for uss in memory.uss_of_each)]
        for name, memory in (("one worker", workers.one), ("two workers", workers.two))
    ]


def _marks(found: Mapping[str, Measured], workers: Workers | None) -> tuple[list[str], list[list[str]]]:
    rows = []
    for ours, theirs, by_time, by_rate in RATES:
        if all(name in found and AT in found[name].loads for name in (ours, theirs)):
            one, other = found[ours].loads[AT], found[theirs].loads[AT]
            ratio, work = one.rate / other.rate, other.processor_ms / one.processor_ms
            what = f"{ours}, against {theirs}: processor time at {AT} connections"
            rows.append(_at_least(what, work, by_time))
            rows.append(_at_least("the same by req/s", ratio, by_rate))
    others = {
        name: one.loads[AT].processor_ms for name, one in found.items() if name.startswith(OURS) and AT in one.loads
    }
    if others:
        slowest = max(others, key=lambda name: others[name])
        what = f"{slowest}, our slowest route: processor time, ms"
        rows.append(_mark(what, f"{others[slowest]:.2f}", f"at most {MOST_MS:g}", others[slowest] <= MOST_MS))
    if plain := found.get("ours, plain"):
        start, resident = plain.start, plain.resident
        rows.append(_mark("start to first answer, s", f"{start:.2f}", f"under {START_SECONDS}", start < START_SECONDS))
        rows.append(_mark("RSS then, MB", f"{resident:.0f}", f"at most {RESIDENT:.0f}", resident <= RESIDENT))
        if MANY in plain.loads:
            tail = plain.loads[MANY].p99 / plain.loads[MANY].p50
            rows.append(_mark(f"p99 / p50 at {MANY} connections", f"{tail:.2f}", f"at most {TAIL:g}", tail <= TAIL))
    if workers:
        more = workers.second
        rows.append(
            _mark("a second worker, MB (USS)", f"{more:.0f}", f"at most {SECOND_WORKER:g}", more <= SECOND_WORKER)
        )
    return ["", "measured", "mark", "reached"], rows


def _at_least(what: str, ratio: float, mark: float | None) -> list[str]:
    return _mark(what, f"{ratio:.2f}", f"at least {mark:g}" if mark else "", mark is not None and ratio >= mark)


def _mark(what: str, measured: str, mark: str, reached: bool) -> list[str]:
    return [what, measured, mark, ("yes" if reached else "no") if mark else ""]


def _megabytes(memory: Memory) -> list[str]:
    return [f"{value:.0f}" for value in (memory.pss, memory.uss, memory.rss)]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One table in Markdown, its columns aligned."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def publish(text: str, file: Path | None) -> None:
    """Print tables, and write them into a file where one is asked for."""
    print(f"\n{text}")
    if file:
        file.write_text(text, encoding="utf-8")
