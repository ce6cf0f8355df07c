"""What fresh events are worth: later ratings come one by one, and each time the next liked film is to be found.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.freshness [--sources sample,ml-latest-small] [--families ease]

The data is cut in time (`prepare.split.method: global`). A model learns from everything before the cut; then each
user's later ratings are added as events, and before each positive the service's own code ranks: with the profile that
the events have made, and without it. Both lists leave out everything seen. Films that nobody liked before the cut are
not looked for. It prints Markdown tables, and exits with 1 where the sample misses a mark.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.contract.artifact import Artifact
from app.contract.artifact_directory import write_artifact
from app.contract.item_matrix import Rows
from app.events.overlay import Overlay
from app.events.profiles import Profiles
from app.events.rows import StoredEvent
from app.model.profile import Profile, learned_profile
from app.model.registered_version import RegisteredVersion
from app.model.store import ServedModel, load_model
from training.data.dataset import Dataset, load_dataset
from training.data.interactions import Interactions
from training.fetch import fetch
from training.fitting.candidate import fit_candidate
from training.metrics.bootstrap import Interval, confidence_interval
from training.params.whole import Params, load_params
from training.prepare import prepare
from training.project import Project

K = 10
MOST_STEPS = 300  # of one user
BUCKETS = {"m = 1": (1, 1), "2 to 5": (2, 5), "6 to 20": (6, 20), "more": (21, 10**9), "all": (1, 10**9)}
RESAMPLES = 2000
LEAST_GAIN = 0.10  # of known users with fresh likes, against the stale vector
LEAST_RATIO = 2.0  # of new users, against popularity


@dataclass(frozen=True)
class Steps:
    """One row per step: the user, how many likes were fresh, and NDCG@10 of the next like, fresh and stale."""

    users: Rows
    likes: Rows
    fresh: np.ndarray
    stale: np.ndarray

    def within(self, low: int, high: int) -> "Steps":
        """The steps with that many fresh likes."""
        chosen = (self.likes >= low) & (self.likes <= high)
        return Steps(self.users[chosen], self.likes[chosen], self.fresh[chosen], self.stale[chosen])

    def per_user(self, values: np.ndarray) -> np.ndarray:
        """The mean of each user's steps."""
        _, places = np.unique(self.users, return_inverse=True)
        means: np.ndarray = np.bincount(places, values) / np.bincount(places)
        return means


def cut_in_time(source: str, params: Params) -> tuple[Dataset, Params]:
    """The data set, cut in time, and the parameters that say so."""
    split = params.prepare.split.model_copy(update={"method": "global", "test": 0.2})
    params = params.model_copy(update={"prepare": params.prepare.model_copy(update={"split": split})})
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        fetch(params.fetch.model_copy(update={"source": source}), params.seed, project.raw)
        prepare(params, project.raw, project.prepared, project.stats)
        return load_dataset(project.prepared), params


def served(dataset: Dataset, params: Params, family: str) -> ServedModel:
    """A model of everything before the cut, as the service loads it."""
    return loaded(fit_candidate(dataset, params, family).artifact, params)


def loaded(artifact: Artifact, params: Params, version: str = "1") -> ServedModel:
    """An artifact as the service loads it."""
    artifact = replace(artifact, min_rating=params.prepare.min_rating)
    with tempfile.TemporaryDirectory() as folder:
        write_artifact(Path(folder) / "served", artifact)
        return load_model(Path(folder) / "served", RegisteredVersion(version, 0, ""))


def replay(model: ServedModel, dataset: Dataset) -> tuple[Steps, Steps]:
    """The steps of users with a like before the cut, and of those without."""
    later = dataset.splits["test"]
    known: list[tuple[int, int, float, float]] = []
    new: list[tuple[int, int, float, float]] = []
    for user in np.unique(later.users).tolist():
        user_id = str(dataset.user_ids[user])
        profile = learned_profile(model, user_id)
        has_liked = profile.row is not None and len(model.recommender.liked(profile.row)) > 0
        steps = list(replay_user(model, dataset, later.where(later.users == user), user_id, profile))[:MOST_STEPS]
        (known if has_liked else new).extend((user, *step) for step in steps)
    return as_steps(known), as_steps(new)


def replay_user(
    model: ServedModel, dataset: Dataset, later: Interactions, user_id: str, learned: Profile
) -> Iterator[tuple[int, float, float]]:
    """For each positive of one user, in order: the likes before it, and NDCG@10 with them and without."""
    overlay = Overlay()
    profiles, likes = Profiles(overlay), 0
    rows = zip(later.items.tolist(), later.positive.tolist(), later.stars.tolist(), strict=True)
    for position, (item, positive, stars) in enumerate(rows, start=1):
        if positive and model.artifact.item_popularity[item] > 0:
            profile = profiles.of(model, user_id)
            stale = replace(profile, vector=learned.vector)
            yield likes, ndcg(model, profile, item), ndcg(model, stale, item)
        likes += positive
        overlay.add(
            [
                StoredEvent(
                    event_id="", user_id=user_id, item_id=str(dataset.item_ids[item]), type="rating", value=stars,
                    occurred_at=0, position=position, received_at=0,
                )
            ]
        )  # fmt: skip


def ndcg(model: ServedModel, profile: Profile, item: int) -> float:
    """NDCG@10 of one item."""
    found = np.flatnonzero(model.recommender.top(profile.vector, K, profile.seen).items[0] == item)
    return float(1 / np.log2(found[0] + 2)) if len(found) else 0.0


def as_steps(steps: list[tuple[int, int, float, float]]) -> Steps:
    """The steps as arrays."""
    users, likes, fresh, stale = (np.array(column) for column in zip(*steps, strict=True))
    return Steps(users, likes, fresh, stale)


def gain(steps: Steps) -> Interval:
    """The difference of fresh and stale, as a mean over users."""
    differences = steps.per_user(steps.fresh - steps.stale)
    return confidence_interval(differences[:, None], RESAMPLES, 0.95, np.random.default_rng(0))[0]


def sign(interval: Interval) -> str:
    """A mark where the interval leaves out 0."""
    return "*" if interval.low > 0 else "!" if interval.high < 0 else ""


def known_row(source: str, family: str, steps: Steps) -> tuple[str, list[str]]:
    """A row of the table of known users, and the marks that it misses."""
    cells, missed = [], []
    for name, bounds in BUCKETS.items():
        part = steps.within(*bounds)
        interval = gain(part)
        cells.append(f"{interval.mean:+.4f}{sign(interval)}")
        if interval.high < 0:
            missed.append(f"{family}, {name}: {interval.mean:+.4f} is significantly below the stale vector")
    fresh_users = steps.within(*BUCKETS["all"])
    stale = fresh_users.per_user(fresh_users.stale)
    relative = gain(fresh_users).mean / stale.mean()
    if relative < LEAST_GAIN:
        missed.append(f"{family}: {relative:+.1%} is less than {LEAST_GAIN:+.0%}")
    counts = f"{len(fresh_users.users)} / {len(stale)}"
    return f"| {source} {family} | {counts} | {stale.mean():.4f} | {' | '.join(cells)} | {relative:+.1%} |", missed


def new_row(source: str, family: str, steps: Steps) -> tuple[str, list[str]]:
    """A row of the table of new users, and the marks that it misses."""
    parts = [steps.within(*bounds) for bounds in BUCKETS.values()]
    cells = [f"{part.stale.mean():.3f} → {part.fresh.mean():.3f}" for part in parts]
    ratio = parts[-1].fresh.mean() / parts[-1].stale.mean()
    missed = [f"{family}, new users: {ratio:.2f} is less than {LEAST_RATIO:g} times"] if ratio < LEAST_RATIO else []
    missed += [
        f"{family}, new users, {name}: below popular films"
        for name, part in zip(BUCKETS, parts, strict=True)
        if part.fresh.mean() < part.stale.mean()
    ]
    counts = f"{len(parts[-1].users)} / {len(np.unique(parts[-1].users))}"
    return f"| {source} {family} | {counts} | {' | '.join(cells)} | {ratio:.2f} |", missed


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", default="sample,ml-latest-small")
    parser.add_argument("--families", default="ease,implicit_als,lightfm")
    arguments = parser.parse_args()
    params, missed = load_params(Project(Path()).params), []
    buckets, rows = " | ".join(BUCKETS), list[str]()
    show(f"| known users | steps / users | stale | {buckets} | relative |\n|{'---|' * (len(BUCKETS) + 4)}")
    for source in arguments.sources.split(","):
        dataset, cut = cut_in_time(source, params)
        for family in arguments.families.split(","):
            known, new = replay(served(dataset, cut, family), dataset)
            (row, misses), (other, more) = known_row(source, family, known), new_row(source, family, new)
            missed += misses + more if source == "sample" else []
            rows.append(other)
            show(row)
    show(f"\n| new users | steps / users | {buckets} | times |\n|{'---|' * (len(BUCKETS) + 3)}")
    show("\n".join(rows))
    sys.exit("\n".join(["", *missed]) if missed else 0)


def show(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
