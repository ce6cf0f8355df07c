"""What the order of fresh likes is worth in the replay of `benchmarks.freshness`.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.fresh_order [--sources sample,ml-latest-small] [--families ease]

Two models learn from everything before the cut: with times, so that the newest likes weigh more by the power that
validation chose, and without, so that all weigh alike. The same likes come one by one to both. It prints a Markdown
table of NDCG@10 of the next like, by the number of fresh likes: what order adds, as a mean over users. It exits with 1
where that is significantly less than nothing.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.freshness import BUCKETS, Steps, cut_in_time, gain, replay, served, show, sign
from benchmarks.next_like import without_times
from training.data.dataset import Dataset
from training.params.whole import Params, load_params
from training.project import Project


def rows_of(source: str, family: str, dataset: Dataset, params: Params) -> Iterator[tuple[str, bool]]:
    """A row of known users and one of new ones, and whether no bucket loses."""
    models = [served(each, params, family) for each in (dataset, without_times(dataset))]
    lately, alike = (replay(model, dataset) for model in models)
    for kind, newest, plain in zip(("known", "new"), lately, alike, strict=True):
        yield row_of(f"{source} {family} | {models[0].artifact.recency:g} | {kind}", replace(newest, stale=plain.fresh))


def row_of(name: str, steps: Steps) -> tuple[str, bool]:
    """A row, and whether no bucket loses; what is stale in `steps` is that of likes that weigh alike."""
    gains = [gain(steps.within(*bounds)) for bounds in BUCKETS.values()]
    cells = [f"{each.mean:+.4f}{sign(each)}" for each in gains]
    whole = steps.within(*BUCKETS["all"])
    return f"| {name} | {whole.per_user(whole.stale).mean():.4f} | {' | '.join(cells)} |", all(
        each.high >= 0 for each in gains
    )


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", default="sample,ml-latest-small")
    parser.add_argument("--families", default="ease,implicit_als,lightfm")
    options = parser.parse_args()
    params, all_good = load_params(Project(Path()).params), True
    show(f"| data, family | γ | users | alike | {' | '.join(BUCKETS)} |\n|{'---|' * (len(BUCKETS) + 4)}")
    for source in options.sources.split(","):
        dataset, cut = cut_in_time(source, params)
        for family in options.families.split(","):
            for row, is_good in rows_of(source, family, dataset, cut):
                all_good &= is_good
                show(row)
    sys.exit(not all_good)


if __name__ == "__main__":
    main()
