"""Format 2 is read as long as registries hold it.

`format_2/served` was written by the last release that wrote that format, and `format_2/answers.json` is what that
release answered from it, without ids of lists.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.contract.artifact_directory import load_artifact
from app.contract.artifact_format import ArtifactError
from app.contract.format_2 import FORMER
from tests.app.conftest import offline_settings
from tests.app.contract.hostile import rewrite_array, rewrite_manifest
from tests.client import Client, put_in_cache, serving

FOLDER = Path(__file__).with_name("format_2")
ANSWERS: dict[str, str] = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture
def former(tmp_path: Path) -> Path:
    return shutil.copytree(FOLDER / "served", tmp_path / "served")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    directory = tmp_path_factory.mktemp("format 2")
    settings = offline_settings(directory)
    put_in_cache(settings, shutil.copytree(FOLDER / "served", directory / "served"))
    with serving(settings) as client:
        yield client


SINCE = {"/items/3": {"available": True}}  # fields that came later
SHARED = re.compile(r',"shared":{[^}]*}')  # as did this, of a film that explains another


@pytest.mark.parametrize("path", ANSWERS)
def test_format_2_is_answered_as_by_the_release_that_wrote_it(service: Client, path: str) -> None:
    answer = re.sub(r'"recommendation_id":"[^"]*",', "", service.get(path).body.decode())
    answer = SHARED.sub("", answer)
    assert json.loads(answer) == json.loads(ANSWERS[path]) | SINCE.get(path, {})


@pytest.mark.parametrize("name", FORMER)
def test_a_missing_or_unlisted_file_of_format_2_is_named(former: Path, name: str) -> None:
    (former / f"{name}.npy").unlink()
    with pytest.raises(ArtifactError, match=rf"{name}\.npy is missing"):
        load_artifact(former)
    files = json.loads((former / "manifest.json").read_text())["files"]
    del files[f"{name}.npy"]
    rewrite_manifest(former, files=files)
    with pytest.raises(ArtifactError, match=rf"manifest\.json does not list {name}\.npy"):
        load_artifact(former)


def test_columns_that_format_2_does_not_have_are_ignored(former: Path) -> None:
    rewrite_manifest(former, columns=["nonsense"])
    assert [column.name for column in load_artifact(former).catalogue.columns] == ["year", "genres"]


def test_years_of_format_2_must_be_as_many_as_items(former: Path) -> None:
    rewrite_array(former, "years", np.zeros(2, "<i4"))
    with pytest.raises(ArtifactError, match=r"genre_indptr\.npy has the shape"):
        load_artifact(former)


def test_format_1_is_no_longer_read(former: Path) -> None:
    rewrite_manifest(former, format_version=1)
    with pytest.raises(ArtifactError, match=r"manifest\.json is of format 1, which is no longer read: train again"):
        load_artifact(former)
