"""dvc.lock is committed: it says what the pipeline made of this code and these parameters."""

import hashlib
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.processes import PROJECT

LOCK: dict[str, Any] = YAML(typ="safe").load(PROJECT / "dvc.lock")


@pytest.mark.parametrize("stage", LOCK["stages"])
def test_the_code_of_each_stage_is_that_of_the_lock(stage: str) -> None:
    for dependency in LOCK["stages"][stage]["deps"]:
        path = PROJECT / dependency["path"]
        if path.suffix == ".py":
            found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            assert found == dependency["md5"], f"{path} has changed: run dvc repro and commit dvc.lock"


@pytest.mark.parametrize("stage", LOCK["stages"])
def test_the_parameters_of_each_stage_are_those_of_the_lock(stage: str) -> None:
    params = YAML(typ="safe").load(PROJECT / "params.yaml")
    for key, value in LOCK["stages"][stage].get("params", {}).get("params.yaml", {}).items():
        found = params
        for part in key.split("."):
            found = found[part]
        assert found == value, f"{key} has changed: run dvc repro and commit dvc.lock"
