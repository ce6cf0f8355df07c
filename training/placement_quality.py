"""What placements cost in NDCG on the test, by the model that has not learned it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.contract.artifact_directory import load_artifact
from app.contract.item_matrix import Rows
from app.contract.placement_rules import Content
from app.contract.predicted_loss import PredictedLoss
from app.contract.ranking import NO_ITEM
from app.contract.recommender import Recommender
from training.data.dataset import load_dataset
from training.errors import DataError
from training.evaluation.ranking import in_blocks
from training.evaluation.results import CONFIDENCE
from training.evaluation.targets import Targets, held_out
from training.lists.bucket import Lists
from training.lists.placement import written_rules
from training.metrics import ranking
from training.metrics.bootstrap import confidence_interval
from training.params.whole import Params
from training.placing import read_placements
from training.project import Project
from training.refit import best_candidate

Float64Array = npt.NDArray[np.float64]


def evaluate_placements(project: Project, params: Params, file: Path) -> str:
    """A table of the placements of a YAML file: NDCG of the first k on the test, without their rules and with them.

    Raises DataError that names the placement which the service would refuse.
    """
    documents, candidate = read_placements(file), best_candidate(project, params)
    artifact = load_artifact(project.model(candidate))
    targets = held_out(artifact, load_dataset(project.prepared, ("test",)))
    if not documents or not len(targets.user_rows):
        raise DataError(
            f"nothing to measure: {len(documents)} placements in {file}, and {len(targets.user_rows)} test users"
        )
    recommender = Recommender(artifact)
    placed = {name: _lists(recommender, f"{file}, {name}", content) for name, content in documents.items()}

    predicted = PredictedLoss(recommender)

    def measured(block: slice) -> Float64Array:
        some = targets.block(block)
        return np.stack([_of_users(some, each, predicted) for each in placed.values()], axis=1)

    found = np.concatenate(in_blocks(len(targets.user_rows), recommender.n_items, measured, progress=True))
    width = max(map(len, [*placed, "placement"]))
    return "\n".join(
        [
            f"{len(found):,} test users, of whom {candidate} has not learned the test",
            f"  {'placement':<{width}}     k    NDCG  change, 95 % interval         loss  predicted",
            *(
                f"  {name:<{width}}  {each.k:>4}  {_figures(found[:, place], params.evaluate.bootstrap, params.seed)}"
                for place, (name, each) in enumerate(placed.items())
            ),
        ]
    )


def _lists(recommender: Recommender, name: str, content: Content) -> Lists:
    try:
        rules = written_rules(recommender, content)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error
    return Lists(recommender, "", rules.placement.k, None, rules)


def _of_users(targets: Targets, placed: Lists, predicted: PredictedLoss) -> Float64Array:
    """NDCG of plain lists, by how much rules change it, and what the model's own scores say is kept: (n_users, 3)."""
    rows = targets.user_rows
    plain, ours = replace(placed, rules=None).ranking(rows).items, placed.ranking(rows).items
    before, after = _ndcg(targets, plain), _ndcg(targets, ours)
    kept = [
        predicted.kept(placed.recommender.user_vector(row), _cut(one), _cut(best))
        for row, one, best in zip(rows.tolist(), ours, plain, strict=True)
    ]
    return np.stack([before, after - before, np.array(kept, dtype=np.float64)], axis=1)


def _ndcg(targets: Targets, lists: Rows) -> Float64Array:
    hits = np.take_along_axis(targets.relevant.toarray() > 0, lists, axis=1) & (lists != NO_ITEM)
    return ranking.ndcg(hits, np.diff(targets.relevant.indptr))


def _cut(row: Rows) -> Rows:
    there: Rows = row[row != NO_ITEM]
    return there


def _figures(values: Float64Array, resamples: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    plain, change = confidence_interval(values[:, :2], resamples, CONFIDENCE, rng)
    loss = (0.0 - change.mean) / plain.mean if plain.mean else np.nan
    predicted = 1 - np.nanmean(values[:, 2]) if not np.isnan(values[:, 2]).all() else np.nan
    return f"{plain.mean:.4f}  {change:+.4f}  {loss:>7.1%}  {predicted:>9.1%}"
