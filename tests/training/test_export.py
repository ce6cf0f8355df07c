import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact_directory import content_hash, load_artifact, write_artifact
from app.contract.artifact_files import sha256_of
from app.contract.recommender import Recommender
from tests.artifacts import make_artifact
from tests.registry import TestRegistry
from tests.training.world import change_params
from training.__main__ import main
from training.errors import DataError, TrackingError
from training.export import ExportOptions, export, in_this_process
from training.lists import bucket
from training.lists.filters import ListFilters
from training.params.whole import Params
from training.project import Project

USERS = 25


@pytest.fixture(autouse=True)
def _small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "USERS_PER_BUCKET", 10)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_artifact(tmp_path / "models" / "served", make_artifact(range(USERS), seen={2: [0, 1]}))
    return Project(tmp_path)


@pytest.fixture
def params(project: Project) -> Params:
    return change_params(project)


def options(k: int = 2, alias: str | None = None, **filters: object) -> ExportOptions:
    return ExportOptions(k, alias, ListFilters.model_validate(filters))


def test_every_user_has_a_list_and_the_manifest_names_every_file(project: Project, params: Params) -> None:
    out = project.root / "lists"
    manifest = export(project, params, options(), out)
    served = load_artifact(project.served)
    ranking = Recommender(served).recommend(np.arange(USERS), 2)
    rows = pd.read_parquet(out)
    assert rows.item_id.tolist() == served.item_ids[ranking.items].ravel().tolist()
    assert rows.score.tolist() == ranking.scores.round(6).ravel().tolist()
    assert rows.user_id.tolist() == np.repeat(served.user_ids, 2).tolist()
    assert json.loads((out / "_manifest.json").read_text()) == manifest
    digest = content_hash(project.served)
    assert manifest | {"files": None} == {
        "kind": "recommendation-lists",
        "model_version": digest[:12],
        "artifact_hash": digest,
        "k": 2,
        "filters": {},
        "users": USERS,
        "rows": 2 * USERS,
        "files": None,
    }
    assert [file["rows"] for file in manifest["files"].values()] == [20, 20, 10]
    assert all(sha256_of(out / name) == file["sha256"] for name, file in manifest["files"].items())
    assert {path.name for path in out.iterdir()} == {"_manifest.json", *manifest["files"]}


def test_a_run_that_was_ended_goes_on_and_gives_the_same(project: Project, params: Params) -> None:
    whole = export(project, params, options(), project.root / "whole")
    out, written = project.root / "lists", []

    def interrupted(lists: bucket.Lists, artifact: Path, folder: Path, buckets: list[int]) -> Iterator[int]:
        yield from in_this_process(lists, artifact, folder, buckets[:2])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(project, params, options(), out, interrupted)
    assert not (out / "_manifest.json").exists()

    def counted(lists: bucket.Lists, artifact: Path, folder: Path, buckets: list[int]) -> Iterator[int]:
        written.extend(buckets)
        return in_this_process(lists, artifact, folder, buckets)

    assert export(project, params, options(), out, counted) == whole
    assert written == [2]
    assert export(project, params, options(), out) == whole


def test_the_folder_may_lie_in_folders_that_are_not_there_yet(project: Project, params: Params) -> None:
    export(project, params, options(), project.root / "lists" / "of today")
    assert (project.root / "lists" / "of today" / "_manifest.json").is_file()


def test_a_folder_of_other_lists_is_left_alone(project: Project, params: Params) -> None:
    out = project.root / "lists"
    export(project, params, options(), out)
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(DataError, match=r"holds lists of version \w+, k 2, filters {}: choose another folder"):
        export(project, params, options(k=3), out)
    with pytest.raises(DataError, match="k 2"):
        export(project, params, options(genre=["drama"]), out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    with pytest.raises(DataError, match="holds other files than lists"):
        export(project, params, options(), project.root)


def test_what_a_killed_run_left_is_tidied_and_it_goes_on(project: Project, params: Params) -> None:
    whole = export(project, params, options(), project.root / "whole")
    out = project.root / "lists"
    left = [out / name for name in ("._unfinished.json-1", ".lists-00001.parquet-2", "._manifest.json-3")]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "part").touch()
    assert export(project, params, options(), out) == whole
    assert {path.name for path in out.iterdir()} == {"_manifest.json", *whole["files"]}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("_manifest.json", b"[]", r"_manifest.json holds no JSON object; choose another folder"),
        (
            "lists-00001.parquet",
            b"PAR1",
            r"lists-00001.parquet can't be read \(.*\): remove it and run the same command",
        ),
    ],
)
def test_a_damaged_file_is_named(project: Project, params: Params, name: str, content: bytes, sentence: str) -> None:
    out = project.root / "lists"
    export(project, params, options(), out)
    (out / name).write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        export(project, params, options(), out)


def test_an_alias_names_the_version(
    project: Project, registry: TestRegistry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)
    params = change_params(project, register__name=registry.name)
    write_artifact(tmp_path / "live", make_artifact(range(5)))
    registry.register()
    version = registry.register(tmp_path / "live", alias="Production")
    (left := tmp_path / ".lists-of-1").mkdir()  # by a run that was killed
    manifest = export(project, params, options(alias="production"), tmp_path / "lists")
    assert not left.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".lists")]
    assert (manifest["model_version"], manifest["users"]) == (version, 5)
    assert manifest["artifact_hash"] == content_hash(tmp_path / "live")
    with pytest.raises(TrackingError, match="has no version with the alias 'nobody'"):
        export(project, params, options(alias="nobody"), tmp_path / "others")


def test_the_command_says_what_it_has_written(
    project: Project, params: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    main(["export", "--out", "lists", "--k", "1", "--filters", "exclude=10&exclude=20"])
    version = content_hash(project.served)[:12]
    assert capsys.readouterr().out == f"export: 25 rows for 25 users of version {version} in 3 files in lists\n"
    with pytest.raises(SystemExit, match=r"export: --filters 'year=1'.*: year is not a known key"):
        main(["export", "--out", "others", "--filters", "year=1"])
