from pathlib import Path
from typing import Any

import pytest

import training.__main__ as command
from tests.training.world import ROOT, change_params, make_project
from training.errors import ParamsError
from training.fitting.validation import Validation
from training.models.base import Factors
from training.models.implicit_als import ImplicitALS
from training.models.sklearn_svd import SklearnSVD
from training.params.whole import Params, load_params
from training.project import Project
from training.tuning.search import Search
from training.tuning.study import tried
from training.tuning.targets import targets_of_recipe, with_better, write_better

SVD = {"embedding_size": 1, "iterations": 1, "recency_power": 0.0}
ALS: dict[str, Any] = {
    **load_params(ROOT / "params.yaml").models["implicit_als"],
    "embedding_size": 4, "epochs": 2, "patience": 1, "recency_power": 0.0,
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, Params]:
    blend: dict[str, object] = {
        "members": {"sklearn_svd": {}, "implicit_als": {}},
        "weights": None,
        "embedding_size": None,
    }
    project, params = make_project(
        tmp_path,
        candidates=["blend", "popularity"],
        models__sklearn_svd=SVD,
        models__implicit_als=ALS,
        models__blend=blend,
    )
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    return project, params


def with_candidates(params: Params, *names: str) -> Params:
    return params.model_copy(update={"candidates": names})


def test_candidates_are_tuned_for_themselves_and_members_for_their_blend(world: tuple[Project, Params]) -> None:
    _, params = world
    assert targets_of_recipe(params) == {"sklearn_svd": "blend", "implicit_als": "blend"}
    assert targets_of_recipe(with_candidates(params, "ease", "sklearn_nmf")) == {
        "ease": "ease",
        "sklearn_nmf": "sklearn_nmf",
    }
    assert targets_of_recipe(with_candidates(params, "blend", "implicit_als", "ease")) == {
        "implicit_als": "blend",
        "ease": "ease",
        "sklearn_svd": "blend",
    }


def test_a_recipe_with_nothing_to_search_is_refused(world: tuple[Project, Params]) -> None:
    _, params = world
    with pytest.raises(ParamsError, match="candidates popularity have no parameter to search"):
        targets_of_recipe(with_candidates(params, "popularity"))
    with pytest.raises(ParamsError, match=r"models\.ease: embedding_size is missing"):
        targets_of_recipe(params.model_copy(update={"models": {}, "candidates": ("ease",)}))


@pytest.mark.long
def test_a_member_s_attempt_has_the_value_of_the_whole_blend_with_weights_of_its_own(
    world: tuple[Project, Params],
) -> None:
    project, params = world
    search = Search.open(project, params, "sklearn_svd", "blend")
    for attempt in search.run(3):
        whole = with_better(params, "sklearn_svd", tried(attempt))
        validation = Validation.of(search.validation.knowledge.dataset, whole, "blend")
        assert attempt.value == validation.fit_validated(search.make(tried(attempt))).metric
        assert search.make(tried(attempt)).model_dump(mode="json")["members"] == whole.models["blend"]["members"]


@pytest.mark.long
def test_the_other_members_are_fitted_once_for_all_attempts(
    world: tuple[Project, Params], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: dict[Any, int] = {ImplicitALS: 0, SklearnSVD: 0}
    for family in fitted:
        monkeypatch.setattr(family, "fit", counting(fitted, family))
    search = Search.open(*world, "sklearn_svd", "blend")
    list(search.run(3))
    assert fitted == {ImplicitALS: 1, SklearnSVD: 3}
    assert list(search.attempts()[0].intermediate_values) == [1]  # the curve is that of the member alone


def counting(fitted: dict[Any, int], family: type) -> Any:
    fit = family.fit  # type: ignore[attr-defined]

    def counted(self: object, *arguments: object) -> Factors:
        fitted[family] += 1
        made: Factors = fit(self, *arguments)
        return made

    return counted


@pytest.mark.long
def test_another_member_or_weight_begins_a_search_of_its_own(world: tuple[Project, Params]) -> None:
    project, params = world
    list(Search.open(project, params, "sklearn_svd", "blend").run(1))
    assert len(Search.open(project, params, "sklearn_svd", "blend").attempts()) == 1
    assert Search.open(project, params, "sklearn_svd", "sklearn_svd").attempts() == []
    other_member = with_better(params, "implicit_als", {"alpha": 9.0})
    assert Search.open(project, other_member, "sklearn_svd", "blend").attempts() == []
    weighed = change_params(
        project, models__sklearn_svd=SVD, models__implicit_als=ALS,
        models__blend={**params.models["blend"], "weights": {"sklearn_svd": 1.0, "implicit_als": 0.0}},
    )  # fmt: skip
    assert Search.open(project, weighed, "sklearn_svd", "blend").attempts() == []


def test_better_parameters_count_for_the_family_and_for_members_of_it(world: tuple[Project, Params]) -> None:
    _, params = world
    models = with_better(params, "sklearn_svd", {"embedding_size": 3}).models
    assert models["sklearn_svd"] == models["blend"]["members"]["sklearn_svd"] == {**SVD, "embedding_size": 3}
    assert models["blend"]["members"]["implicit_als"] == params.models["implicit_als"]
    assert {**models, "sklearn_svd": SVD, "blend": params.models["blend"]} == params.models


def test_what_a_member_has_of_its_own_is_changed_there(world: tuple[Project, Params]) -> None:
    project, _ = world
    project.params.write_text(project.params.read_text().replace("sklearn_svd: {}", "sklearn_svd: {embedding_size: 2}"))
    write_better(project.params, "sklearn_svd", "blend", {"embedding_size": 5, "iterations": 3})
    models = load_params(project.params).models
    assert models["sklearn_svd"] == {**SVD, "iterations": 3}
    assert models["blend"]["members"]["sklearn_svd"] == {**SVD, "iterations": 3, "embedding_size": 5}


@pytest.mark.long
def test_tune_recipe_shares_the_time_and_applies_what_is_better(
    world: tuple[Project, Params], capsys: pytest.CaptureFixture[str]
) -> None:
    project, _ = world
    command.main(["tune", "recipe", "--timeout", "8", "--apply"])
    said = capsys.readouterr().out
    assert "tune sklearn_svd for blend: 0 attempts so far" in said
    assert "models.sklearn_svd in params.yaml has them now" in said
    assert "tune implicit_als for blend: 0 attempts so far" in said
    models = load_params(project.params).models
    assert models["sklearn_svd"]["embedding_size"] > 1
    assert models["blend"]["members"]["sklearn_svd"] == models["sklearn_svd"]


@pytest.mark.long
def test_without_apply_params_yaml_stays_but_the_next_member_is_tuned_beside_the_better_one(
    world: tuple[Project, Params], capsys: pytest.CaptureFixture[str]
) -> None:
    project, params = world
    before = project.params.read_bytes()
    command.main(["tune", "recipe", "--attempts", "3"])
    assert "the same command with --apply writes them into params.yaml" in capsys.readouterr().out
    assert project.params.read_bytes() == before
    better = Search.open(project, params, "sklearn_svd", "blend").better_params()
    assert better is not None
    beside = with_better(params, "sklearn_svd", better)
    assert len(Search.open(project, beside, "implicit_als", "blend").attempts()) == 3
