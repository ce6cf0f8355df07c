import hashlib
from pathlib import Path

import pytest

from tests.repository import Repository
from tests.training.world import ROOT
from training.params.whole import load_params
from training.project import Project
from training.report.run_log import _cold_metrics, _flat, origin


def test_a_run_names_its_commit_whether_files_differ_from_it_and_the_hash_of_dvc_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_COMMIT", "of the image")
    assert origin(Project(tmp_path)) == {"git_commit": "of the image"}
    repository = Repository(tmp_path)
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\n")
    repository.commit("first")
    head = repository.shell("git rev-parse HEAD").strip()
    digest = hashlib.sha256(b"schema: '2.0'\n").hexdigest()
    assert origin(Project(tmp_path)) == {"git_commit": head, "dvc_lock_hash": digest}
    (tmp_path / "dvc.lock").write_text("changed")
    assert origin(Project(tmp_path))["git_commit"] == f"{head}-dirty"
    monkeypatch.setenv("PATH", "")
    assert origin(Project(tmp_path))["git_commit"] == "of the image"
    monkeypatch.delenv("GIT_COMMIT")
    assert "git_commit" not in origin(Project(tmp_path))


def test_parameters_are_logged_by_their_path_in_params_yaml_but_those_of_families() -> None:
    flat = _flat(load_params(ROOT / "params.yaml"))
    assert (flat["seed"], flat["prepare.split.method"], flat["evaluate.segments"]) == (42, "per_user", [20, 60])
    assert "register.gate.confidence" in flat
    assert not [name for name in flat if name.startswith("models")]


def test_results_on_cold_films_have_names_of_their_own_where_there_are_any() -> None:
    assert _cold_metrics({"cold": {"metrics": {"recall@10": 0.5}}}) == {"cold_recall@10": 0.5}
    assert _cold_metrics({"cold": {"users": 0}}) == {}
