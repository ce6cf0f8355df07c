"""The tables of benchmarks/serving.py, in Markdown that reads well in a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load import Load
from benchmarks.servers import Memory

# what, the better route, the other, at least so many times its rate
RATES = (
    ("ours, plain", "mlflow models serve", 40.0),
    ("ours, plain", "FastAPI, constant", 1.5),
    ("ours, filtered", "mlflow models serve", 5.0),
    ("ours, plain", "BentoML", None),
    ("ours, plain", "LitServe", None),
)
AT, MANY = 16, 64
START_SECONDS, TAIL, SECOND_WORKER = 2.0, 5.0, 60.0


@dataclass(frozen=True)
class Measured:
    """One route: load by number of connections, seconds from start to first answer, memory after the load."""

    loads: Mapping[int, Load]
    start: float
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
    header = ["", "connections", "req/s", "p50, ms", "p99, ms", "processor, ms a request", "errors"]
    return header, [
        [
            *(name, str(connections), f"{one.rate:,.0f}", f"{one.p50:.2f}", f"{one.p99:.2f}"),
            *(f"{one.processor_ms:.3f}", str(one.errors)),
        ]
        for name, measured in found.items()
        for connections, one in measured.loads.items()
    ]


def _footprints(found: Mapping[str, Measured]) -> tuple[list[str], list[list[str]]]:
    header = ["", "start to first answer, s", "PSS, MB", "USS, MB", "RSS, MB", "processes"]
    return header, [
        [name, f"{one.start:.2f}", *_megabytes(one.memory), str(len(one.memory.uss_of_each))]
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
    for ours, theirs, mark in RATES:
        if all(name in found and AT in found[name].loads for name in (ours, theirs)):
            one, other = found[ours].loads[AT], found[theirs].loads[AT]
            ratio, work = one.rate / other.rate, other.processor_ms / one.processor_ms
            what = f"{ours}, against {theirs}: req/s at {AT} connections"
            rows.append(_mark(what, f"{ratio:.2f}", f"at least {mark:g}" if mark else "", not mark or ratio >= mark))
            rows.append(_mark("the same by processor time", f"{work:.2f}", "", reached=False))
    if plain := found.get("ours, plain"):
        rows.append(_mark("start to first answer, s", f"{plain.start:.2f}", "under 2", plain.start < START_SECONDS))
        if MANY in plain.loads:
            tail = plain.loads[MANY].p99 / plain.loads[MANY].p50
            rows.append(_mark(f"p99 / p50 at {MANY} connections", f"{tail:.2f}", "at most 5", tail <= TAIL))
    if workers:
        more = workers.second
        rows.append(_mark("a second worker, MB (USS)", f"{more:.0f}", "under 60", more < SECOND_WORKER))
    return ["", "measured", "mark", "reached"], rows


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
