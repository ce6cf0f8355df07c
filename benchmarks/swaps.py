"""How long answers take while the service swaps a model of MovieLens-25M's size again and again, under load by wrk.

    python -m benchmarks.swaps [--swaps 20] [--connections 4]

The folder that MODEL_DIR names changes, `POST /model/reload` asks for it, and the service copies, checks and loads
the files. The same load without a swap stands beside it.
"""

import argparse
import http.client
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import load
from benchmarks.big_artifact import MOVIELENS_25M, kept
from benchmarks.contenders import SERVICE, in_environment
from benchmarks.environments import CACHE
from benchmarks.load import Load, Request
from benchmarks.report import table
from benchmarks.servers import Server, serving

PLAIN = Request("/users/%d/recommendations")
TOKEN = "benchmark"  # noqa: S105 - of a server that lives for a minute
MARK_MS = 50
WARM_SECONDS = 2


def main() -> None:
    """Print both tails."""
    options = _options()
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
        _load(server, options.connections, WARM_SECONDS)
        quiet = _load(server, options.connections, options.seconds)
        with ThreadPoolExecutor(1) as pool:
            loaded = pool.submit(_load, server, options.connections, options.seconds)
            swaps = 0
            while not loaded.done() and swaps < options.swaps:
                _swap(server, folder)
                swaps += 1
            swapping = loaded.result()
    print(
        table(
            ["", "req/s", "p50, ms", "p99, ms", "p99.9, ms"], [_row("no swap", quiet), _row(f"{swaps} swaps", swapping)]
        )
    )
    reached = "reached" if swapping.p999 <= MARK_MS else "not reached"
    print(f"\nMark: p99.9 at most {MARK_MS} ms; {swapping.p999:.1f} measured, {reached}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=30, help="of load; swaps end with it")
    return parser.parse_args()


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
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/model/reload", headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    status = json.loads(answer.read())["registry"]["status"]
    connection.close()
    assert (answer.status, status) == (200, "ok"), status


def _row(name: str, one: Load) -> list[str]:
    return [name, f"{one.rate:,.0f}", f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.p999:.2f}"]


if __name__ == "__main__":
    main()
