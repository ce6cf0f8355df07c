"""What a stage depends on is what it runs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from tests.processes import PROJECT
from tests.repository import Repository
from tests.training.world import change_params, make_project
from training.code import closure, write_code
from training.models.families import FAMILIES
from training.params.evaluate import EvaluateStage
from training.params.refit import RefitStage
from training.params.section import Section
from training.params.train import TrainStage
from training.params.whole import Params, load_params
from training.project import Project

STAGES: dict[str, Any] = YAML(typ="safe").load(PROJECT / "dvc.yaml")["stages"]
# Why a stage may depend on a file of ours that is no list of code.
DATA_AMONG_THE_CODE = {"training/data/sample/catalogue.csv": "the sample's films, which `fetch` copies"}
# Why a stage may run a file that its list leaves out. `python -m training` runs __main__.py, commands
# and whole.py too: they parse arguments and parameters, and DVC compares the parameters of each stage itself.
NOT_LISTED = {"training/models/families.py": "it names modules, which are in the lists"}
OF_ENGINE = {"engine", "spark"}  # __main__ chooses by them, and the engine spark is given its section


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_a_closure_follows_imports_of_every_kind_through_packages(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/__init__.py": "",
            "a/start.py": "import numpy\nfrom a import one\ndef late():\n    from a.deep.two import name\n",
            "a/one.py": "import a.three",
            "a/three.py": "from a import start",
            "a/unused.py": "",
            "a/deep/__init__.py": "from b import four",
            "a/deep/two.py": "name = 1",
            "b/__init__.py": "four = 1",
        },
    )
    expected = ["a/__init__.py", "a/deep/__init__.py", "a/deep/two.py", "a/one.py", "a/start.py", "a/three.py"]
    assert [str(file) for file in closure(tmp_path, ["a.start"])] == [*expected, "b/__init__.py"]


@pytest.mark.parametrize("stage", ["fetch", "prepare", "train", "evaluate", "refit"])
def test_a_stage_depends_on_its_list_of_code_and_names_no_other_file_of_ours(stage: str) -> None:
    name = "train/${item.candidate}" if stage == "train" else stage
    dependencies = [STAGES[stage]["deps"]] if isinstance(STAGES[stage]["deps"], str) else STAGES[stage]["deps"]
    assert f"reports/code/{name}.json" in dependencies
    ours = {dependency for dependency in dependencies if dependency.startswith(("app", "training", "reports/code"))}
    assert ours - {f"reports/code/{name}.json"} <= set(DATA_AMONG_THE_CODE)


@pytest.mark.parametrize(
    ("stage", "section"), [("train", TrainStage), ("evaluate", EvaluateStage), ("refit", RefitStage)]
)
def test_a_stage_can_read_only_the_parameters_that_dvc_compares(stage: str, section: type[Section]) -> None:
    compared = {key.split(".")[0] for key in STAGES[stage]["params"]} - OF_ENGINE
    # Refit takes the winner's parameters from reports/training, where validation has decided what models leaves open.
    unread = {"models"} if stage == "refit" else set()
    assert compared == set(section.model_fields) - unread


@pytest.mark.parametrize("stage", ["code", "events", "register"])
def test_a_stage_without_a_list_of_code_always_runs(stage: str) -> None:
    assert STAGES[stage]["always_changed"]


def test_every_file_that_is_no_code_is_a_dependency_or_belongs_to_the_report() -> None:
    found = {path.relative_to(PROJECT) for path in (PROJECT / "training").rglob("*") if path.is_file()}
    # A script decides no result: stage.sh finds the Python that runs a stage. Nor does what Spark logs.
    data = {path for path in found if path.suffix not in (".py", ".pyc", ".md", ".txt", ".sh", ".properties")}
    assert {str(path) for path in data if path.parts[1] != "report"} == set(DATA_AMONG_THE_CODE)
    assert set(DATA_AMONG_THE_CODE) <= set(STAGES["fetch"]["deps"])


@pytest.fixture(scope="module")
def blend(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Params]:
    """A project with one candidate: a small blend of all that the default one is made of."""
    small = {"init": "als", "epochs": 1, "patience": None, "embedding_size": 4}
    changes = {f"models__blend__members__lightfm__{key}": value for key, value in small.items()}
    return make_project(tmp_path_factory.mktemp("blend"), candidates=["blend"], **changes)


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The files of ours that each stage runs, for candidates of which two are made of others."""
    root = tmp_path_factory.mktemp("lists")
    (root / "app").symlink_to(PROJECT / "app")
    (root / "training").symlink_to(PROJECT / "training")
    params = load_params(PROJECT / "params.yaml")
    params = params.model_copy(update={"candidates": ("lightfm", "blend", "popularity", "ease")})
    write_code(Project(root), params)
    folder = Project(root).code
    return {
        str(path.relative_to(folder).with_suffix("")): set(json.loads(path.read_text()))
        for path in folder.rglob("*.json")
    }


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("fetch", set()),
        ("prepare", set()),
        ("evaluate", set()),
        ("train/popularity", {"popularity"}),
        ("train/ease", {"ease"}),
        ("train/lightfm", {"lightfm", "implicit_als"}),  # which it may start from
        ("train/blend", {"blend", "ease", "implicit_als", "lightfm"}),
        ("refit", {"blend", "ease", "implicit_als", "lightfm", "popularity"}),
    ],
)
def test_a_stage_runs_the_families_of_its_candidates_alone(
    name: str, families: set[str], lists: dict[str, set[str]]
) -> None:
    assert {
        Path(file).stem for file in lists[name] if file.startswith("training/models/")
    } & FAMILIES.keys() == families


@pytest.mark.parametrize("name", ["fetch", "prepare", "train/blend", "evaluate", "refit"])
def test_a_list_leaves_out_what_cannot_change_the_stage(name: str, lists: dict[str, set[str]]) -> None:
    rooms = {file.split("/")[1] for file in lists[name] if file.startswith("training/")}
    assert not rooms & {"report", "tuning", "promotion", "tracking", "register.py", "commands", "__main__.py"}
    assert "training/params/register.py" not in lists[name]


@pytest.mark.long
@pytest.mark.parametrize(
    ("stage", "section", "name"),
    [("train", TrainStage, "train/blend"), ("evaluate", EvaluateStage, "evaluate"), ("refit", RefitStage, "refit")],
)
def test_what_python_loads_for_a_stage_is_in_its_list(
    stage: str, section: type[Section], name: str, blend: tuple[Project, Params], lists: dict[str, set[str]]
) -> None:
    """Run, not only read: of a blend, as no other candidate makes so many others by their names."""
    project, params = blend
    candidate = "" if stage == "refit" else ", 'blend'"
    code = f"""
import sys
from pathlib import Path
from training.project import Project
from {section.__module__} import {section.__name__}
from training.{stage} import {stage}
{stage}(Project(Path.cwd()), {section.__name__}.model_validate_json(sys.argv[1]){candidate})
for module in list(sys.modules.values()):
    print(getattr(module, "__file__", None))
"""
    content = params.model_dump_json(include=set(section.model_fields))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", code, content],
        cwd=project.root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = {Path(file) for file in done.stdout.splitlines() if file.startswith(str(PROJECT / "training"))}
    ours = {str(path.relative_to(PROJECT)) for path in loaded}
    assert f"training/{stage}.py" in ours
    assert ours <= lists[name] | set(NOT_LISTED)


@pytest.mark.long
def test_only_a_change_that_matters_to_a_candidate_makes_dvc_train_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.copy(tmp_path / "project")
    project = Project(repository.root)
    params = load_params(project.params)
    repository.without_git()
    monkeypatch.chdir(project.root)
    # As if it had been trained: what the outputs hold is nothing to DVC.
    for path in (project.prepared / "train", project.model("lightfm") / "a", project.training("lightfm"),
                 project.plot("learning", "lightfm")):  # fmt: skip
        write(path.parent, {path.name: "something"})
    write_code(project, params)
    with Repo() as repo:
        repo.commit("train@lightfm", force=True)

    def changed(*files: str) -> bool:
        """Whether lightfm would be trained again after a byte more in these files; they are as before afterwards."""
        before = {file: (project.root / "training" / file).read_bytes() for file in files}
        for file, content in before.items():
            (project.root / "training" / file).write_bytes(content + b"\n")
        write_code(project, params)
        with Repo() as repo:
            status = repo.status(["train@lightfm"])
        for file, content in before.items():
            (project.root / "training" / file).write_bytes(content)
        return bool(status)

    others = ("models/popularity.py", "models/blend.py", "models/ease.py", "models/families.py", "params/register.py")
    assert not changed()
    assert not changed("report/page.html.jinja", "tuning/tune.py", "promotion/gate.py", "__main__.py", *others)
    assert changed("models/lightfm.py")
    assert changed("models/implicit_als.py")
    assert changed("models/encoder.py")


def test_a_blend_is_trained_again_when_a_member_s_own_section_changes(tmp_path: Path) -> None:
    def listed(**changes: Any) -> list[str]:
        project = Project(tmp_path)
        write_code(project, change_params(project, candidates=["blend", "popularity"], **changes))
        return [(project.code / "train" / f"{name}.json").read_text() for name in ("blend", "popularity")]

    before, after = listed(), listed(models__ease__regularization=7.0)
    assert before[0] != after[0]
    assert before[1] == after[1]
