from pathlib import Path

import numpy as np
import pytest

from app.contract.artifact_directory import load_artifact
from tests.training.world import make_project
from training.data.dataset import USER_ID, load_dataset
from training.evaluation.ranking import blocks_of, rank_test
from training.evaluation.results import metric_names, metrics_by_k, report, share_by_popularity, user_table
from training.evaluation.targets import Targets
from training.train import train


def test_every_metric_agrees_with_a_plain_loop_over_users(tmp_path: Path) -> None:
    project, params = make_project(tmp_path)
    train(project, params, "popularity")
    artifact, dataset = load_artifact(project.model("popularity")), load_dataset(project.prepared)
    users = user_table(artifact, rank_test(artifact, dataset, params.evaluate), params.evaluate)
    test = dataset.interactions("test").positives()
    order = np.lexsort((np.arange(dataset.n_items), -artifact.popularity_scores))
    assert len(users) == len(np.unique(test.users))
    for _, user in users.iterrows():
        row = int(np.searchsorted(artifact.user_ids, int(user[USER_ID])))
        relevant = set(test.items[dataset.user_ids[test.users] == user[USER_ID]])
        seen = set(artifact.seen_indices[artifact.seen_indptr[row] : artifact.seen_indptr[row + 1]])
        ranked = [item for item in order if item not in seen]
        hits = [item in relevant for item in ranked[:10]]
        ideal = sum(1 / np.log2(rank + 2) for rank in range(min(10, len(relevant))))
        assert user["ndcg@10"] == pytest.approx(sum(h / np.log2(r + 2) for r, h in enumerate(hits)) / ideal)
        assert user["recall@10"] == pytest.approx(sum(hits) / len(relevant))
        assert user["history"] == len(seen)


def test_the_report_holds_means_intervals_segments_and_the_catalogue(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, evaluate__segments=[11, 12])
    train(project, params, "popularity")
    artifact, dataset = load_artifact(project.model("popularity")), load_dataset(project.prepared)
    outcome = rank_test(artifact, dataset, params.evaluate)
    users = user_table(artifact, outcome, params.evaluate)
    result = report(artifact, outcome, users, params.evaluate, seed=0)
    for name in metric_names(params.evaluate):
        assert result["metrics"][name] == pytest.approx(users[name].mean())
        low, high = result["confidence_95"][name]
        assert low <= result["metrics"][name] <= high
    assert sum(part["users"] for part in result["segments"].values()) == len(users)
    assert 0 < result["catalogue"]["coverage@10"] <= 1
    expected = [result["metrics"][f"ndcg@{k}"] for k in (5, 10, 20, 50)]
    assert metrics_by_k(users, params.evaluate)["ndcg"].tolist() == pytest.approx(expected)
    shares = share_by_popularity(artifact, outcome)
    assert shares[["interactions", "recommendations"]].sum().tolist() == pytest.approx([1, 1])


def test_a_user_who_has_seen_everything_else_has_no_auc_and_counts_in_the_other_metrics(tmp_path: Path) -> None:
    project, params = make_project(tmp_path)
    train(project, params, "popularity")
    artifact = load_artifact(project.model("popularity"))
    outcome = rank_test(artifact, load_dataset(project.prepared), params.evaluate)
    users = user_table(artifact, outcome, params.evaluate)
    users.loc[users.index[0], "auc"] = np.nan
    result = report(artifact, outcome, users, params.evaluate, seed=0)
    assert result["metrics"]["ndcg@10"] == pytest.approx(users["ndcg@10"].mean())
    assert result["metrics"]["auc"] == pytest.approx(users["auc"][1:].mean())
    users["auc"] = np.nan
    assert "auc" not in report(artifact, outcome, users, params.evaluate, seed=0)["metrics"]


def test_lists_longer_than_the_catalogue_are_measured_as_if_padded(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, evaluate__at=[10, 500])
    train(project, params, "popularity")
    artifact = load_artifact(project.model("popularity"))
    users = user_table(artifact, rank_test(artifact, load_dataset(project.prepared), params.evaluate), params.evaluate)
    assert (users["recall@500"] == 1).all()
    assert users["precision@500"].max() < 0.02


def test_users_whom_the_artifact_does_not_know_are_left_out(tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    dataset = load_dataset(project.prepared)
    targets = Targets.of(dataset.user_ids[::2], dataset, dataset.interactions("test"))
    assert len(targets.user_rows) == len(dataset.user_ids) // 2
    drawn = targets.sample(39, np.random.default_rng(0)).user_rows
    assert len(np.unique(drawn)) == 39 < len(targets.user_rows)


@pytest.mark.long
@pytest.mark.parametrize("progress", [False, True])
def test_progress_is_shown_only_where_it_is_asked_for(
    progress: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, params = make_project(tmp_path)
    train(project, params, "popularity")
    artifact, dataset = load_artifact(project.model("popularity")), load_dataset(project.prepared)
    capsys.readouterr()
    rank_test(artifact, dataset, params.evaluate, progress=progress)
    assert ("rank users" in capsys.readouterr().err) == progress


@pytest.mark.parametrize(("n_items", "size"), [(980, 256), (62_423, 64), (1_000_000, 4), (9_000_000, 1)])
def test_the_scores_of_a_block_are_few_enough_and_every_user_is_in_one(n_items: int, size: int) -> None:
    blocks = blocks_of(300, n_items)
    assert blocks[0] == slice(0, size)
    assert np.concatenate([np.arange(300)[block] for block in blocks]).tolist() == list(range(300))
