"""dvc.lock is committed: it says what the pipeline made of this code, these parameters and this data."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from ruamel.yaml import YAML

from tests.processes import PROJECT
from training.code import write_code
from training.params.whole import load_params
from training.project import Project

STAGES: dict[str, Any] = YAML(typ="safe").load(PROJECT / "dvc.lock")["stages"]
MADE = {out["path"]: out["md5"] for stage in STAGES.values() for out in stage.get("outs", ())}
DEPENDENCIES = [(name, each["path"], each["md5"]) for name, stage in STAGES.items() for each in stage.get("deps", ())]
PARAMETERS = [
    (name, key, value)
    for name, stage in STAGES.items()
    for key, value in stage.get("params", {}).get("params.yaml", {}).items()
]


def file_hash(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def folder_hash(files: dict[str, str]) -> str:
    """The hash that DVC gives to a folder of files with these hashes."""
    tree = Tree()  # type: ignore[no-untyped-call]
    for name, md5 in files.items():
        tree.add(tuple(name.split("/")), None, HashInfo("md5", md5))
    tree.digest()
    assert tree.hash_info.value is not None
    return tree.hash_info.value


def hash_of(path: Path) -> str:
    if path.is_file():
        return file_hash(path)
    files = [file for file in path.rglob("*") if file.is_file()]
    assert files, f"{path} is in dvc.lock and not here"
    return folder_hash({file.relative_to(path).as_posix(): file_hash(file) for file in files})


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose reports/code is that of the code as it is."""
    root = tmp_path_factory.mktemp("code")
    for folder in ("app", "training"):
        (root / folder).symlink_to(PROJECT / folder)
    write_code(Project(root), load_params(PROJECT / "params.yaml"))
    return root


@pytest.mark.parametrize(("stage", "path", "md5"), DEPENDENCIES)
def test_each_dependency_of_a_stage_is_as_it_was(stage: str, path: str, md5: str, code: Path) -> None:
    made_inside = {out.removeprefix(f"{path}/"): hashed for out, hashed in MADE.items() if out.startswith(f"{path}/")}
    if path in MADE:
        now = MADE[path]
    elif made_inside:
        now = folder_hash(made_inside)
    else:
        now = hash_of((code if path.startswith("reports/code/") else PROJECT) / path)
    assert now == md5, f"{path} of {stage} has changed: run dvc repro and commit dvc.lock"


@pytest.mark.parametrize(("stage", "key", "value"), PARAMETERS)
def test_each_parameter_of_a_stage_is_as_it_was(stage: str, key: str, value: object) -> None:
    found = YAML(typ="safe").load(PROJECT / "params.yaml")
    for part in key.split("."):
        found = found[part]
    assert found == value, f"{key} of {stage} has changed: run dvc repro and commit dvc.lock"


def test_the_lock_holds_the_lists_of_code(code: Path) -> None:
    assert MADE["reports/code"] == hash_of(code / "reports" / "code"), "run dvc repro and commit dvc.lock"


def test_the_lock_holds_every_stage_with_its_outputs() -> None:
    stages = YAML(typ="safe").load(PROJECT / "dvc.yaml")["stages"]
    candidates = load_params(PROJECT / "params.yaml").candidates
    expected = {
        name if each is None else f"{name}@{each}"
        for name, stage in stages.items()
        for each in (candidates if "matrix" in stage else (None,))
    }
    assert set(STAGES) == expected
    assert {name for name, stage in STAGES.items() if not stage.get("outs")} == {"register"}
