"""Exact top-10 for one user among 62,423 and 1,000,000 x 64, in one thread: ours and others, and reading memory once.

    python -m benchmarks.kernel [--seconds 2] [--rounds 3] [--markdown FILE]

Needs benchmarks/requirements.txt. Each has so many seconds in each round. No item is seen and all biases are zero, so
that all do the same work; ours goes through the motions. The best time counts, as whatever else the machine does only
adds to it; the median is beside it.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from app.contract.artifact import Artifact
from app.contract.artifact_directory import load_artifact
from app.contract.artifact_format import Float32Array
from app.contract.recommender import Recommender
from benchmarks.big_artifact import Size, kept
from benchmarks.options import options
from benchmarks.report import publish, table

try:
    import faiss  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from implicit.cpu.topk import topk as implicit_topk  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError as missing:
    sys.exit(f"{missing.name} is not installed: {sys.executable} -m pip install -r benchmarks/requirements.txt")

K = 10
MARK = 2.2  # ours at most so many times the bound at 62,423
N_ITEMS = (62_423, 1_000_000)
N_USERS = 1000
CHECKED = 50
WARM_CALLS = 20

Rows = npt.NDArray[np.int64]
Rank = Callable[[int], Rows]
BOUND = "reading the embeddings once"


def main() -> None:
    """Print microseconds and ratios."""
    given = options(__doc__, seconds=2.0, rounds=3, markdown=Path)
    faiss.omp_set_num_threads(1)
    parts = []
    with threadpool_limits(1):
        for n_items in N_ITEMS:
            print(f"{n_items:,} items", flush=True)
            parts.append(_measure(_artifact(n_items), given.seconds, given.rounds))
    publish("\n\n".join(parts) + "\n", given.markdown)


def _artifact(n_items: int) -> Artifact:
    """As the service maps it: made once, written and read."""
    return load_artifact(kept(Size(users=N_USERS, items=n_items, seen=0, ready=0)))


def _contenders(artifact: Artifact) -> dict[str, Rank]:
    recommender = Recommender(artifact)
    users = artifact.user_embeddings
    items = np.ascontiguousarray(artifact.item_embeddings)
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(items)

    def numpy_top(user: int) -> Rows:
        scores = items @ users[user]
        best = np.argpartition(scores, len(scores) - K)[-K:]
        ranked: Rows = best[np.argsort(-scores[best], kind="stable")]
        return ranked

    return {
        "ours, Recommender.top": lambda user: recommender.top(recommender.user_vector(user), K).items[0],
        "ours, Recommender.recommend": lambda user: recommender.recommend(np.array([user]), K).items[0],
        "NumPy, product and argpartition": numpy_top,
        "implicit, topk": lambda user: implicit_topk(items, users[user : user + 1], K, num_threads=1)[0][0],
        "faiss, IndexFlatIP": lambda user: index.search(users[user : user + 1], K)[1][0],
    }


def _readers(artifact: Artifact) -> dict[str, Callable[[int], object]]:
    """Ways to read all embeddings once; the quickest is what memory allows."""
    flat: Float32Array = artifact.item_embeddings.ravel(order="K")
    return {"dot": lambda _: np.dot(flat, flat), "max": lambda _: flat.max(), "sum": lambda _: flat.sum()}


def _measure(artifact: Artifact, seconds: float, rounds: int) -> str:
    contenders, readers = _contenders(artifact), _readers(artifact)
    equal = _equal(artifact, contenders)
    times: dict[str, list[float]] = {name: [] for name in (*contenders, *readers)}
    for _ in range(rounds):
        for name, contender in (contenders | readers).items():
            times[name] += _times(contender, seconds)
    quickest = min(readers, key=lambda name: min(times[name]))
    bound, ours = min(times[quickest]), min(times["ours, Recommender.top"])
    rows = [_row(name, times[name], bound, ours, f"{equal[name]} of {CHECKED}") for name in contenders]
    rows.append(_row(f"{BOUND} (np.{quickest})", times[quickest], bound, ours, ""))
    header = [f"top {K} of {len(artifact.item_ids):,} x 64", "best, µs", "median, µs", "x bound", "x ours", "ids equal"]
    text = table(header, rows)
    if len(artifact.item_ids) == N_ITEMS[0]:
        reached = "reached" if ours <= MARK * bound else "not reached"
        text += f"\n\nMark: Recommender.top at most {MARK} x bound; {ours / bound:.2f} measured, {reached}"
    return text


def _row(name: str, times: list[float], bound: float, ours: float, equal: str) -> list[str]:
    best, middle = min(times), float(np.median(times))
    return [name, f"{best * 1e6:,.0f}", f"{middle * 1e6:,.0f}", f"{best / bound:.2f}", f"{best / ours:.2f}", equal]


def _equal(artifact: Artifact, contenders: dict[str, Rank]) -> dict[str, int]:
    """For how many users each gives the ten ids, in order, of scores in float64 with ties in the order of rows."""
    exact = artifact.item_embeddings.astype(np.float64)
    found = dict.fromkeys(contenders, 0)
    for user in range(CHECKED):
        expected = np.argsort(-(exact @ artifact.user_embeddings[user]), kind="stable")[:K]
        for name, contender in contenders.items():
            found[name] += bool(np.array_equal(contender(user), expected))
    return found


def _times(contender: Callable[[int], object], seconds: float) -> list[float]:
    """Seconds of each call, for random users, after some calls that don't count."""
    users = np.random.default_rng(0).integers(N_USERS, size=1_000_000)
    for user in users[:WARM_CALLS]:
        contender(user)
    times: list[float] = []
    deadline = time.perf_counter() + seconds
    while (start := time.perf_counter()) < deadline:
        contender(users[len(times)])
        times.append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
