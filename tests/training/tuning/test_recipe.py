import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import training.__main__ as command
from tests.marks import long
from tests.training.tuning.test_tuning import changes
from tests.training.world import ROOT, change_params
from training.errors import DataError, ParamsError
from training.models import make_family
from training.params.whole import load_params
from training.project import Project
from training.tuning.params_file import read_changes, write_params
from training.tuning.recipe import apply_recipe, recipes

NAMES = sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml"))
ONE_AND_OTHERS = [NAMES[0], *long(NAMES[1:])]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the default params.yaml and our recipes."""
    project = Project(tmp_path)
    change_params(project)
    project.params.write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    return project


def figures(items: int, unrated: int = 0) -> dict[str, Any]:
    return {"users": 50_000, "items": items, "items_without_ratings": unrated}


def with_figures(project: Project, content: dict[str, Any]) -> None:
    project.stats.parent.mkdir()
    project.stats.write_text(json.dumps(content))


def test_the_recipes_are_those_of_the_page() -> None:
    assert recipes(Project(ROOT)) == NAMES
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"`{name}`" in page


@pytest.mark.parametrize("name", ONE_AND_OTHERS)
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


@pytest.mark.long
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


HELD = "the {} items that EASE can hold have {} of the positives"


@pytest.mark.parametrize(
    ("given", "proposed", "reason"),
    [
        (figures(3_000, unrated=700), "dense", HELD.format("3,000", "100%")),
        (figures(15_000), "dense", HELD.format("15,000", "100%")),
        (figures(40_000, unrated=4_000), "sparse", HELD.format("15,000", "50%")),
        (figures(40_000, unrated=37_000), "cold", "92% of the items have no rating"),
    ],
)
def test_the_data_decide_and_the_reason_is_said(
    given: dict[str, Any], proposed: str, reason: str, project: Project
) -> None:
    with_figures(project, given)
    with_positives(project, n_items=30_000)
    before = project.params.read_text()
    assert apply_recipe(project, "auto") == (
        f"recipe: {proposed}, as {reason}; write it into params.yaml: python -m training recipe {proposed}"
    )
    assert project.params.read_text() == before


def with_positives(project: Project, n_items: int, most: int = 1) -> None:
    """Prepared data: the first 15,000 items have `most` positives each and the others one; low ratings don't count."""
    project.prepared.mkdir(parents=True)
    liked = np.concatenate([np.repeat(np.arange(15_000), most), np.arange(15_000, n_items)])
    rows = pd.DataFrame({"item": np.concatenate([liked, np.zeros(n_items, int)]), "positive": True})
    rows.loc[len(liked) :, "positive"] = False
    rows.iloc[::2].to_parquet(project.prepared / "train.parquet")
    rows.iloc[1::2].to_parquet(project.prepared / "validation.parquet")


@pytest.mark.parametrize(("most", "chosen", "share"), [(8, "sparse", "89%"), (9, "dense", "90%")])
def test_large_is_dense_where_ease_can_hold_nine_tenths_of_the_positives(
    most: int, chosen: str, share: str, project: Project
) -> None:
    with_figures(project, figures(30_000))
    with_positives(project, n_items=30_000, most=most)
    candidates = {"sparse": "implicit_als, popularity", "dense": "blend, popularity"}[chosen]
    reason = HELD.format("15,000", share)
    assert apply_recipe(project, "large") == (
        f"recipe: {chosen} is in params.yaml, as {reason}; candidates {candidates}; run: dvc repro"
    )


@pytest.mark.parametrize("name", ONE_AND_OTHERS)
def test_a_recipe_of_another_size_says_what_that_costs(name: str, project: Project) -> None:
    with_figures(project, figures(20_000))
    first = read_changes(project.recipe(name))["candidates"][0]
    said = apply_recipe(project, name, 512)
    assert load_params(project.params).models[first]["embedding_size"] == 512
    assert "; 512 numbers per item: 143 MB of vectors in the artifact, and " in said


def test_a_size_that_does_not_fit_into_memory_is_refused_with_one_that_does(project: Project) -> None:
    with_figures(project, figures(40_000))
    before = project.params.read_text()
    with pytest.raises(ParamsError, match=r"--size 9000000: a fit needs .* GB, and this machine has .*; take at most "):
        apply_recipe(project, "sparse", 9_000_000)
    assert project.params.read_text() == before


def test_a_size_is_refused_where_the_recipe_has_none(project: Project) -> None:
    with_figures(project, figures(40_000))
    (project.root / "recipes").unlink()
    (project.root / "recipes").mkdir()
    project.recipe("mine").write_text("candidates: [popularity]\nmodels: {popularity: {half_life: 0.0}}")
    with pytest.raises(ParamsError, match=r"--size 64: the recipe has no embedding_size of popularity"):
        apply_recipe(project, "mine", 64)


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
    with pytest.raises(SystemExit, match="tune: give --attempts, --timeout or both, so that it ends"):
        command.main(["tune", "recipe"])
