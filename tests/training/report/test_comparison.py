from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import training.promotion.contest
from app.contract.artifact_directory import load_artifact
from training.data.dataset import load_dataset
from training.files import read_json, write_json
from training.fitting.candidate import fit_candidate
from training.metrics.bootstrap import Interval
from training.promotion.contest import Contest
from training.promotion.gate import paired_difference
from training.report.comparison import gather
from training.report.differences import Difference
from training.report.example_users import ExampleUser, spread_over_activity
from training.tracking.versions import Evidence, LiveVersion


def test_it_holds_what_the_stages_measured(contest: Contest) -> None:
    comparison = gather(contest, "abc")
    assert [candidate.name for candidate in comparison.candidates] == ["test_svd", "popularity"]
    assert (comparison.served, comparison.live, comparison.data["test_users"]) == ("test_svd", "no version", 80)
    for candidate in comparison.candidates:
        folder = contest.project.model(candidate.name)
        assert candidate.evaluation == read_json(contest.project.evaluation(candidate.name), "")
        assert candidate.size == sum(path.stat().st_size for path in folder.rglob("*"))
        assert candidate.fit_seconds == read_json(contest.project.seconds(candidate.name), "")["fit_seconds"]
    assert [candidate.embedding_size for candidate in comparison.candidates] == [4, 1]


def test_activity_holds_the_means_that_evaluate_reports(contest: Contest) -> None:
    comparison = gather(contest, "")
    for candidate in comparison.candidates:
        segments = list(candidate.evaluation["segments"].values())
        assert [part.users for part in comparison.activity] == [segment["users"] for segment in segments]
        means = [part.metric[candidate.name].mean for part in comparison.activity]
        assert means == pytest.approx([segment["ndcg@10"] for segment in segments])


def test_differences_are_the_gate_s(contest: Contest) -> None:
    (difference,) = gather(contest, "").differences
    ours = contest.users_of("test_svd")
    expected = paired_difference(ours, contest.popularity, "ndcg@10", 0.95, contest.params.seed)
    assert (difference.candidate, difference.opponent) == ("test_svd", "popularity")
    assert difference.interval == expected
    assert difference.meaning == "better"


@pytest.mark.parametrize(
    ("low", "mean", "high", "p", "meaning"),
    [
        (0.1, 0.2, 0.3, 0.01, "better"),
        (-0.3, -0.2, -0.1, 0.01, "worse"),
        (-0.1, 0.1, 0.3, 0.2, "no clear difference"),
        (0.01, 0.1, 0.2, 0.08, "better, but not after correction"),
        (-0.2, -0.1, -0.01, 0.08, "worse, but not after correction"),
        (0.0, 0.1, 0.2, 0.01, "no clear difference"),
        (-0.2, -0.1, 0.0, 0.01, "no clear difference"),
    ],
)
def test_a_difference_is_put_in_words(low: float, mean: float, high: float, p: float, meaning: str) -> None:
    assert Difference("a", "b", Interval(mean, low, high), p, 0.95).meaning == meaning


def test_at_its_limit_p_is_not_clear() -> None:
    assert Difference("a", "b", Interval(0.2, 0.1, 0.3), 0.25, 0.75).meaning == "better, but not after correction"


def test_seconds_of_another_training_are_not_taken(contest: Contest) -> None:
    path = contest.project.seconds("popularity")
    before = read_json(path, "")
    try:
        write_json(path, before | {"content_hash": "of another artifact"})
        assert gather(contest, "").candidates[1].fit_seconds is None
        path.unlink()
        assert gather(contest, "").candidates[1].fit_seconds is None
    finally:
        write_json(path, before)


def live(contest: Contest, **changes: Any) -> Contest:
    """A contest with a live version: the candidate's own recipe and results, with changes to the recipe."""
    evidence = contest.evidence()
    return replace(contest, live_version=LiveVersion("7", Evidence({**evidence.recipe, **changes}, evidence.users)))


def test_the_live_version_s_own_results_are_used_on_the_same_split(contest: Contest) -> None:
    comparison = gather(live(contest, params={"dim": 3}), "")
    assert comparison.live == "version 7"
    against = {(d.candidate, d.opponent): d.interval.mean for d in comparison.differences}
    assert against["test_svd", "live version 7"] == 0
    assert against["popularity", "live version 7"] == pytest.approx(-against["test_svd", "popularity"])


@pytest.mark.long
def test_a_live_recipe_is_fitted_once_for_the_report_and_the_gate(
    contest: Contest, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = []

    def counted(*arguments: Any) -> Any:
        fitted.append(arguments[2])
        return fit_candidate(*arguments)

    monkeypatch.setattr(training.promotion.contest, "fit_candidate", counted)
    elsewhere = live(contest, params={"dim": 3}, split_hash="of other data")
    assert len(gather(elsewhere, "").opponents) == 2
    assert "live version 7" in elsewhere.ruling().reason
    assert fitted == ["test_svd"]


def test_a_live_recipe_that_is_a_candidate_s_is_not_fitted(contest: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(training.promotion.contest, "fit_candidate")
    today = contest.params.models["popularity"]
    comparison = gather(live(contest, family="popularity", params=today, split_hash="of other data"), "")
    assert comparison.live == "version 7, the recipe of popularity"
    assert [(d.candidate, d.opponent) for d in comparison.differences] == [
        ("test_svd", "popularity"),
        ("test_svd", "live version 7"),
    ]


def test_users_are_drawn_from_every_fifth_of_activity_and_always_the_same() -> None:
    users = pd.DataFrame({"user_id": np.arange(50), "history": np.random.default_rng(0).permutation(50)})
    chosen = spread_over_activity(users, seed=1)
    assert (chosen["history"].to_numpy() // 10).tolist() == [0, 1, 2, 3, 4]
    pd.testing.assert_frame_equal(chosen, spread_over_activity(users, seed=1))
    assert len(spread_over_activity(users[:3], seed=1)) == 3


def test_example_users_show_what_was_liked_before_and_hits_of_every_candidate(contest: Contest) -> None:
    raw = pd.read_csv(contest.project.raw / "interactions.csv")
    users = gather(contest, "").example_users
    assert len(users) == 5
    for user in users:
        liked = raw[(raw.user_id == int(user.user_id)) & (raw.rating == 5)].sort_values("timestamp")
        titles = [title(item) for item in liked.item_id]
        held_out = len(user.liked_in_test)
        assert user.liked_before == titles[: len(titles) - held_out][-10:]
        assert user.liked_in_test == titles[len(titles) - held_out :]
        assert list(user.lists) == ["test_svd", "popularity"]
        check_lists(user)


def title(item: int) -> str:
    return f"Film {item} ({1980 + item % 40})"


def check_lists(user: ExampleUser) -> None:
    for suggestions in user.lists.values():
        films = [suggestion.film for suggestion in suggestions]
        assert len(set(films)) == 10
        assert not set(films) & set(user.liked_before)
        assert [suggestion.hit for suggestion in suggestions] == [film in user.liked_in_test for film in films]


def test_lists_are_those_of_the_saved_artifacts(contest: Contest) -> None:
    artifact, dataset = load_artifact(contest.project.model("popularity")), load_dataset(contest.project.prepared)
    user = gather(contest, "").example_users[0]
    row = int(np.searchsorted(artifact.user_ids, int(user.user_id)))
    seen = artifact.seen_indices[artifact.seen_indptr[row] : artifact.seen_indptr[row + 1]]
    order = np.setdiff1d(np.argsort(-artifact.popularity_scores, kind="stable"), seen, assume_unique=True)
    expected = [title(int(dataset.item_ids[item])) for item in order[:10]]
    assert [suggestion.film for suggestion in user.lists["popularity"]] == expected
