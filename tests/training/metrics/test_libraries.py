"""The metrics agree with independent libraries on random lists; where definitions differ, the test says how."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from training.metrics import ranking

N_USERS, N_ITEMS, LONGEST = 200, 40, 20
# Our metrics by the names that the libraries give them, as far as they have them.
IR_MEASURES = {"precision": "P", "recall": "R", "ndcg": "nDCG", "map": "AP", "mrr": "RR", "hit_rate": "Success"}
RS_METRICS = {
    "precision": "precision", "recall": "recall", "ndcg": "ndcg", "map": "mapr", "mrr": "mrr", "hit_rate": "hitrate",
}  # fmt: skip
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lists:
    """Recommended and relevant items of each user."""

    recommended: dict[str, list[str]]
    relevant: dict[str, list[str]]

    @property
    def n_relevant(self) -> npt.NDArray[np.int64]:
        return np.array([len(items) for items in self.relevant.values()])

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        return np.array([len(items) for items in self.recommended.values()])

    def ours(self, metric: str, k: int) -> Values:
        hits = np.zeros((len(self.relevant), k), dtype=bool)
        for row, (user, relevant) in enumerate(self.relevant.items()):
            found = np.isin(self.recommended[user][:k], relevant)
            hits[row, : len(found)] = found
        return ranking.METRICS[metric](hits, self.n_relevant)


@pytest.fixture(scope="module")
def lists() -> Lists:
    """Of 1 to 20 of 40 items, for users with 1 to 30 relevant ones; some without a hit."""
    rng = np.random.default_rng(3)
    items = np.array([f"i{number}" for number in range(N_ITEMS)])
    recommended, relevant = {}, {}
    for number in range(N_USERS):
        order = rng.permutation(items)
        n_relevant = int(rng.integers(1, 31))
        relevant[f"u{number}"] = order[:n_relevant].tolist()
        candidates = order[n_relevant:] if number % 10 == 0 else rng.permutation(items)
        recommended[f"u{number}"] = candidates[: rng.integers(1, LONGEST + 1)].tolist()
    lists = Lists(recommended, relevant)
    assert (lists.lengths < 10).any()
    assert (lists.n_relevant < 10).any()
    assert (lists.n_relevant > 10).any()
    assert (lists.ours("hit_rate", 20) == 0).sum() >= N_USERS // 10
    return lists


@pytest.mark.parametrize("k", [1, 5, 10, 20])
@pytest.mark.parametrize("name", IR_MEASURES)
def test_a_metric_agrees_with_ir_measures(name: str, k: int, lists: Lists) -> None:
    theirs = trec(name, k, lists)
    if name == "map":  # trec_eval divides by all relevant items, although no list of k can hold more than k
        theirs *= lists.n_relevant / np.minimum(lists.n_relevant, k)
    np.testing.assert_allclose(lists.ours(name, k), theirs, atol=1e-12)


@pytest.mark.parametrize("k", [1, 5, 10, 20])
@pytest.mark.parametrize("name", RS_METRICS)
def test_a_metric_agrees_with_rs_metrics(name: str, k: int, lists: Lists) -> None:
    import rs_metrics

    function = getattr(rs_metrics, RS_METRICS[name])
    theirs = np.array(function(lists.relevant, lists.recommended, k=k, apply_mean=False))
    if name == "precision":  # it divides by the length of a list that is shorter than k, which rewards short lists
        theirs *= np.minimum(lists.lengths, k) / k
    if name == "map":  # it divides by all relevant items, like trec_eval
        theirs *= lists.n_relevant / np.minimum(lists.n_relevant, k)
    np.testing.assert_allclose(lists.ours(name, k), theirs, atol=1e-12)


@pytest.mark.long
def test_auc_agrees_with_scikit_learn() -> None:
    """Neither of the two others has it: over whole rankings, with ties, of the items that are no longer hidden."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(5)
    scores = rng.integers(0, 12, size=(N_USERS, N_ITEMS)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = -np.inf
    relevant = (rng.random(scores.shape) < 0.3) & (scores > -np.inf)
    theirs = [
        roc_auc_score(wanted[row > -np.inf], row[row > -np.inf]) for row, wanted in zip(scores, relevant, strict=True)
    ]
    np.testing.assert_allclose(ranking.auc(scores, relevant), theirs, atol=1e-12)


def trec(name: str, k: int, lists: Lists) -> Values:
    """A metric of each user by ir-measures, whose counting is trec_eval's own code."""
    ir = pytest.importorskip(
        "ir_measures", reason="ir-measures needs pytrec_eval, which isn't built for this processor"
    )
    measure = getattr(ir, IR_MEASURES[name]) @ k
    judged = [ir.Qrel(user, item, 1) for user, items in lists.relevant.items() for item in items]
    ranked = [
        ir.ScoredDoc(user, item, -place)
        for user, items in lists.recommended.items()
        for place, item in enumerate(items)
    ]
    values = {each.query_id: each.value for each in ir.iter_calc([measure], judged, ranked)}
    return np.array([values[user] for user in lists.relevant])
