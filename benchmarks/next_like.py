"""What the order of likes is worth: everybody's last like is to be found from all before it, through the HTTP API.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.next_like [--sources ml-100k,ml-latest-small] [--families ease]

Every rating is a like; users and items have five at least. Each user's last is for the test, the one before for
validation. Those of one time are in random order, drawn several times, as half of ml-100k's are such. A model learns
from all but the last. Then the service is asked, over sockets, for each user whom it has learned; for somebody unknown
whose events are the same likes; and by a request that brings them. It is asked once with the recency that validation
chose, and once with a model that knows no times. It prints a Markdown table with NDCG@10 among all items, and exits
with 1 where EASE misses a mark.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact
from app.contract.artifact_directory import write_artifact
from app.schemas.queries import MAX_IDS
from benchmarks.events import COMMAND
from benchmarks.load import Request
from benchmarks.quality import prepared
from benchmarks.servers import Server, serving
from training.data.dataset import Dataset
from training.fitting.candidate import fit_candidate
from training.metrics.bootstrap import confidence_interval
from training.params.whole import Params, load_params
from training.project import Project

K = 10
CORE = 5  # ratings that each user and item has at least
STRANGER = 10_000_000  # added to a user's id, it is nobody's
WAYS = ("known", "as events", "in a request")
MARKS = {("ml-100k", "ease"): 0.110}
History = npt.NDArray[np.int64]


def histories_of(dataset: Dataset, seed: int) -> list[History]:
    """The item rows of each user from the oldest to the newest, those of one time in random order."""
    everything = dataset.interactions("train", "validation", "test")
    order = np.lexsort((np.random.default_rng(seed).random(len(everything)), everything.times, everything.users))
    ends = np.cumsum(np.bincount(everything.users, minlength=dataset.n_users))
    return np.split(everything.items[order].astype(np.int64), ends[:-1])


def last_held_out(dataset: Dataset, histories: list[History]) -> Dataset:
    """The data set with the last rating of each user as the test, and the one before as validation."""
    everything = dataset.interactions("train", "validation", "test")
    last = {name: np.array([each[place] for each in histories]) for name, place in (("test", -1), ("validation", -2))}
    held = {name: items[everything.users] == everything.items for name, items in last.items()}
    held["train"] = ~(held["test"] | held["validation"])
    return replace(dataset, splits={name: everything.where(held[name]) for name in dataset.splits})


def without_times(dataset: Dataset) -> Dataset:
    """The data set with one time for all."""
    splits = {name: replace(split, times=np.zeros_like(split.times)) for name, split in dataset.splits.items()}
    return replace(dataset, splits=splits)


def found(artifact: Artifact, dataset: Dataset, histories: list[History]) -> dict[str, npt.NDArray[np.float64]]:
    """NDCG@10 of each user's last like, for each way of asking."""
    with tempfile.TemporaryDirectory() as folder:
        write_artifact(Path(folder) / "served", artifact)
        variables = {
            "MODEL_DIR": f"{folder}/served",
            "EVENTS_URL": f"sqlite:///{folder}/events.db",
            "LOG_LEVEL": "WARNING",
        }
        with serving("next-like", COMMAND, variables) as (server, started):
            server.seconds_to_first_answer(Request("/items/popular?k=1"), started)
            ids = dataset.item_ids
            rows = [
                [ndcg(items, int(ids[history[-1]])) for items in lists(server, int(user), ids[history[:-1]].tolist())]
                for user, history in zip(dataset.user_ids, histories, strict=True)
            ]
    return dict(zip(WAYS, np.array(rows).T, strict=True))


def lists(server: Server, user: int, liked: list[int]) -> Iterator[list[int]]:
    """The lists of a user by each way of asking; `liked` is in the order of time."""
    yield asked(server, f"/users/{user}/recommendations?k={K}")
    stranger = user + STRANGER
    for start in range(0, len(liked), MAX_IDS):
        said = [{"user_id": stranger, "item_id": item, "type": "like"} for item in liked[start : start + MAX_IDS]]
        asked(server, "/events", {"events": said})
    yield asked(server, f"/users/{stranger}/recommendations?k={K}")
    former, newest = liked[:-MAX_IDS], liked[-MAX_IDS:]
    yield asked(server, "/recommendations", {"liked": newest, "exclude": former[-MAX_IDS:], "k": K})


def asked(server: Server, path: str, body: dict[str, Any] | None = None) -> list[int]:
    """The ids of the items in an answer."""
    status, answer = server.ask(Request(path, json.dumps(body) if body else ""), user=0)
    if status != 200:
        sys.exit(f"{path} answered {status}: {answer[:200]!r}")
    return [item["id"] for item in json.loads(answer).get("items", [])]


def ndcg(items: list[int], wanted: int) -> float:
    """NDCG@10 of one item."""
    return float(1 / np.log2(items.index(wanted) + 2)) if wanted in items else 0.0


def rows_of(source: str, family: str, params: Params, draws: int) -> Iterator[tuple[str, bool]]:
    """A row for each way of asking, and whether the mark is reached."""
    whole, recency, both = prepared(source, params), list[str](), []
    for draw in range(draws):
        histories = histories_of(whole, params.seed + draw)
        dataset = last_held_out(whole, histories)
        artifacts = [fit_candidate(each, params, family).artifact for each in (dataset, without_times(dataset))]
        recency.append(f"{artifacts[0].recency:g}")
        both.append([found(artifact, dataset, histories) for artifact in artifacts])
    for way in WAYS:
        lately, plain = (np.mean([results[place][way] for results in both], axis=0) for place in (0, 1))
        gain = confidence_interval((lately - plain)[:, None], 2000, 0.95, np.random.default_rng(0))[0]
        mean = lately.mean()
        yield (
            f"| {source} {family} | {', '.join(recency)} | {way} | {plain.mean():.4f} | {mean:.4f} "
            f"| {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}] |",
            mean >= MARKS.get((source, family), 0.0) and gain.high >= 0,
        )


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", default="ml-100k,ml-latest-small")
    parser.add_argument("--families", default="ease")
    parser.add_argument("--draws", type=int, default=3)
    options = parser.parse_args()
    params = load_params(Project(Path()).params)
    core = {"min_rating": None, "min_user_ratings": CORE, "min_item_ratings": CORE}
    params = params.model_copy(update={"prepare": params.prepare.model_copy(update=core)})
    print(
        "| data, family | γ | the user is | likes alike | newest weigh more | difference |\n|---|---|---|---|---|---|"
    )
    all_good = True
    for source in options.sources.split(","):
        for family in options.families.split(","):
            for row, is_good in rows_of(source, family, params, options.draws):
                all_good &= is_good
                print(row, flush=True)
    sys.exit(not all_good)


if __name__ == "__main__":
    main()
