import os
import shutil
from pathlib import Path

import pytest

from deploy.bootstrap import main
from tests.training.world import ROOT
from training.params.whole import load_params
from training.tracking.connection import connect
from training.tracking.versions import DECISION

pytestmark = pytest.mark.long


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a project whose `dvc` writes down how it is called, and ends with 3."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    dvc = tmp_path / "bin" / "dvc"
    dvc.parent.mkdir()
    dvc.write_text('#!/bin/sh\necho "$@" >> called\nexit 3\n')
    dvc.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{dvc.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    return tmp_path


def code() -> object:
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_the_pipeline_runs_until_the_registry_has_a_version_that_the_gate_decided_about(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code() == 3
    assert (folder / "called").read_text() == "repro\n"
    registration = load_params(folder / "params.yaml").registration
    client = connect(folder, registration.experiment)
    client.create_registered_model(registration.name)
    client.create_model_version(registration.name, "somebody's own")
    assert code() == 3
    assert (folder / "called").read_text() == "repro\nrepro\n"
    client.create_model_version(registration.name, "the pipeline's", tags={DECISION: "challenger"})
    main()
    assert capsys.readouterr().out == "bootstrap: the registry has a model; nothing to do\n"
    assert (folder / "called").read_text() == "repro\nrepro\n"


def test_where_parameters_are_missing_it_ends_with_one_sentence(folder: Path) -> None:
    (folder / "params.yaml").unlink()
    assert str(code()).startswith("bootstrap: ")
    assert not (folder / "called").exists()
