import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import training.__main__ as command
from tests.training.tuning.test_tuning import changes
from tests.training.world import ROOT, change_params
from training.data.dataset import ITEM, POSITIVE
from training.errors import DataError, ParamsError
from training.models import make_family
from training.params.whole import load_params
from training.project import Project
from training.tuning.params_file import read_changes, write_params
from training.tuning.recipe import apply_recipe, propose, recipes

NAMES = sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml"))
FEW = {"train": 60_000, "validation": 10_000, "test": 20_000}
MANY = {"train": 600_000, "validation": 90_000, "test": 180_000}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the default params.yaml and our recipes."""
    project = Project(tmp_path)
    change_params(project)
    project.params.write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    return project


def figures(items: int, positives: dict[str, int], unrated: int = 0) -> dict[str, Any]:
    return {"items": items, "items_without_ratings": unrated, "positives": positives}


def with_figures(project: Project, content: dict[str, Any]) -> None:
    """The figures, and positives of 27,500 items, of which 15,000 have six each and the others, in validation, one."""
    project.stats.parent.mkdir()
    project.stats.write_text(json.dumps(content))
    project.prepared.mkdir(parents=True)
    for split, items in {"train": np.repeat(np.arange(15_000), 6), "validation": np.arange(15_000, 27_500)}.items():
        rows = pd.DataFrame({ITEM: items, POSITIVE: True})
        disliked = pd.DataFrame({ITEM: np.arange(1000), POSITIVE: False})
        pd.concat([rows, disliked]).to_parquet(project.prepared / f"{split}.parquet")


def test_the_recipes_are_those_of_the_page() -> None:
    assert recipes(Project(ROOT)) == NAMES
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"`{name}`" in page


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_becomes_part_of_params_yaml_and_every_comment_stays(name: str, project: Project) -> None:
    before = project.params.read_text()
    said = apply_recipe(project, name)
    assert said.startswith(f"recipe: {name} is in params.yaml; candidates ")
    params, recipe = load_params(project.params), read_changes(project.recipe(name))
    assert list(params.candidates) == recipe["candidates"]
    for family, section in recipe["models"].items():
        for key, value in section.items():
            if key != "members":
                assert params.models[family][key] == value
    assert before.count("#") == project.params.read_text().count("#")
    assert {line[0] for line in changes(before, project.params.read_text())} == {"-", "+"}


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_names_every_parameter_of_its_families_so_that_nothing_else_decides(name: str) -> None:
    for family, section in read_changes(ROOT / "recipes" / f"{name}.yaml")["models"].items():
        known = type(make_family(family, load_params(ROOT / "params.yaml").models[family])).model_fields  # type: ignore[attr-defined]
        assert set(section) == set(known)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_s_head_says_what_it_is_for_and_costs_and_its_figures_are_those_of_the_benchmarks(name: str) -> None:
    head = (ROOT / "recipes" / f"{name}.yaml").read_text(encoding="utf-8").partition("\ncandidates:")[0]
    said = dict(re.findall(r"^# (Data|Time|Memory|Measured): (.+(?:\n#  .+)*)", head, re.MULTILINE))
    assert said.keys() == {"Data", "Time", "Memory", "Measured"}
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    figures = re.findall(r"\b0\.\d{4}\b", said["Measured"])
    assert figures
    assert all(figure in page for figure in figures)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_written_twice_is_as_written_once_and_another_replaces_it(name: str, project: Project) -> None:
    apply_recipe(project, "dense")
    apply_recipe(project, name)
    once = project.params.read_text()
    apply_recipe(project, name)
    assert project.params.read_text() == once
    members = read_changes(project.recipe(name))["models"].get("blend", {}).get("members")
    if members is not None:
        assert load_params(project.params).models["blend"]["members"].keys() == members.keys()


@pytest.mark.parametrize(
    ("given", "proposed", "reason"),
    [
        (figures(9_000, FEW), "small", "90,000 positives are few"),
        (figures(3_000, MANY), "dense", "EASE's 15,000 items have 100.0% of all positives"),
        (figures(40_000, MANY, unrated=4_000), "sparse", "EASE's 15,000 items have 87.8% of all positives"),
        (figures(40_000, MANY, unrated=37_000), "cold", "92% of the items have no rating"),
        # At the limits.
        (figures(4_000, {"train": 199_999}, unrated=1_000), "small", "199,999 positives are few"),
        (
            figures(19_000, {"train": 200_000}, unrated=4_000),
            "dense",
            "EASE's 15,000 items have 100.0% of all positives",
        ),
    ],
)
def test_the_data_s_figures_decide_and_the_reason_is_said(
    given: dict[str, Any], proposed: str, reason: str, project: Project
) -> None:
    with_figures(project, given)
    assert propose(project, given) == (proposed, reason)
    before = project.params.read_text()
    assert apply_recipe(project, "auto") == (
        f"recipe: {proposed}, as {reason}; write it into params.yaml: python -m training recipe {proposed}"
    )
    assert project.params.read_text() == before


def test_large_is_dense_or_sparse_by_the_data(project: Project) -> None:
    with_figures(project, figures(40_000, MANY))
    assert apply_recipe(project, "large") == (
        "recipe: sparse is in params.yaml, as EASE's 15,000 items have 87.8% of all positives; "
        "candidates implicit_als, popularity; run: dvc repro"
    )


def test_figures_that_are_missing_name_the_command_that_makes_them(project: Project) -> None:
    for name in ("auto", "large"):
        with pytest.raises(DataError, match=r"stats\.json can't be read .*; run: dvc repro prepare"):
            apply_recipe(project, name)


@pytest.mark.parametrize("list_of_candidates", ["\n\n- popularity", "\n  - popularity  # the last"])
def test_candidates_may_stand_in_any_layout(project: Project, list_of_candidates: str) -> None:
    text = project.params.read_text()
    changed = re.sub(r"\ncandidates: \[.*?\]( *#.*)", rf"\ncandidates: \1{list_of_candidates}", text)
    assert changed != text
    project.params.write_text(changed)
    apply_recipe(project, "small")
    assert list(load_params(project.params).candidates) == ["blend", "popularity"]
    assert "# the families that a run trains" in project.params.read_text()


def test_what_can_not_be_written_again_is_refused_and_stays(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = project.params.read_text()
    monkeypatch.setattr(YAML, "dump", lambda _, content, path: Path(path).write_text("a: b: c"))
    with pytest.raises(ParamsError, match=r"can't be changed by a program; write .* by hand"):
        write_params(project.params, {"candidates": ["ease"]})
    assert project.params.read_text() == before


def test_an_unknown_recipe_is_refused_with_those_that_are_known(project: Project) -> None:
    with pytest.raises(ParamsError, match=f"'lage' is not a recipe; known are {', '.join(NAMES)}, large, aut"):
        apply_recipe(project, "lage")


def test_a_recipe_that_does_not_fit_leaves_params_yaml_as_it_was(project: Project) -> None:
    (project.root / "recipes").unlink()
    (project.root / "recipes").mkdir()
    before = project.params.read_text()
    for text, sentence in (
        ("candidates: [ease]\nmodels: {ease: {regularisation: 1.0}}", "regularisation is not a known key"),
        ("candidates: [ease", r"wrong\.yaml can't be read"),
        ("seed: -1\nmodels: {}", "seed: "),
    ):
        project.recipe("wrong").write_text(text)
        with pytest.raises(ParamsError, match=sentence):
            apply_recipe(project, "wrong")
        assert project.params.read_text() == before


def test_the_command_says_what_it_wrote(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    command.main(["recipe", "fast"])
    assert capsys.readouterr().out == (
        "recipe: fast is in params.yaml; candidates sklearn_svd, popularity; run: dvc repro\n"
    )


def test_a_search_without_an_end_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    with pytest.raises(SystemExit, match="tune: give --trials, --timeout or both, so that it ends"):
        command.main(["tune", "recipe"])
