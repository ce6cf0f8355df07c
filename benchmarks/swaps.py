"""How long answers take while the service swaps a model of MovieLens-25M's size again and again, under load by wrk.

    python -m benchmarks.swaps [--swaps 20] [--connections 4] [--seconds 30]

The folder that MODEL_DIR names changes, `POST /model/reload` asks for it, and the service copies, checks and loads
the files, as long as the load lasts. The same load without a swap stands beside it.
"""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import load
from benchmarks.big_artifact import MOVIELENS_25M, kept
from benchmarks.contenders import SERVICE, in_environment
from benchmarks.environments import CACHE
from benchmarks.load import Load, Request
from benchmarks.options import options
from benchmarks.report import table
from benchmarks.servers import Server, serving
from tests.client import Client

PLAIN = Request("/users/%d/recommendations")
TOKEN = "benchmark"  # noqa: S105 - of a server that lives for a minute
MARK_MS = 50
WARM_SECONDS = 2


def main() -> None:
    """Print both tails."""
    given = options(__doc__, swaps=20, connections=4, seconds=30)
    load.require_wrk()
    folder = _copy(kept())
    variables = {
        "MODEL_DIR": str(folder),
        "MODEL_CACHE_DIR": str(CACHE / "swapped"),
        "MODEL_POLL_SECONDS": "3600",
        "ADMIN_TOKEN": TOKEN,
    }
    with serving("swaps", in_environment("service", SERVICE), variables) as (server, started):
        server.seconds_to_first_answer(PLAIN, started)
        _load(server, given.connections, WARM_SECONDS)
        quiet = _load(server, given.connections, given.seconds)
        with ThreadPoolExecutor(1) as pool:
            loaded = pool.submit(_load, server, given.connections, given.seconds)
            swaps = 0
            while not loaded.done() and swaps < given.swaps:
                _swap(server, folder)
                swaps += 1
            swapping = loaded.result()
    rows = [_row("no swap", quiet), _row(f"{swaps} swaps", swapping)]
    print(table(["", "req/s", "p50, ms", "p99, ms", "p99.9, ms"], rows))
    reached = "reached" if swapping.p999 <= MARK_MS else "not reached"
    print(f"\nMark: p99.9 at most {MARK_MS} ms; {swapping.p999:.1f} measured, {reached}")


def _copy(artifact: Path) -> Path:
    """Links to the files, and a manifest of its own, whose time makes a new version."""
    folder = CACHE / "swapping"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(artifact, folder, copy_function=os.link)
    manifest = folder / "manifest.json"
    manifest.unlink()
    shutil.copyfile(artifact / manifest.name, manifest)
    return folder


def _load(server: Server, connections: int, seconds: int) -> Load:
    return load.run(server.port, PLAIN, MOVIELENS_25M.users, connections, seconds)


def _swap(server: Server, folder: Path) -> None:
    os.utime(folder / "manifest.json")
    answer = Client(server.port, timeout=60).get("/model/reload", "POST", {"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status, answer.json["registry"]["status"]) == (200, "ok"), answer.body


def _row(name: str, one: Load) -> list[str]:
    return [name, f"{one.rate:,.0f}", f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.p999:.2f}"]


if __name__ == "__main__":
    main()
