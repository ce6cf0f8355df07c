"""The program that downloads a version, against a real MLflow server."""

import json
import sys
from pathlib import Path

import pytest

from app.registry import download
from tests.registry import TestRegistry


def answer(uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """The last line of its output."""
    monkeypatch.setattr(sys, "argv", ["download", uri, str(folder)])
    download.main()
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_what_is_there_what_is_missing_and_what_fails_are_told_apart(
    registry: TestRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.register()
    run = registry.client.get_model_version(registry.name, "1").run_id
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    told = [
        answer(uri, tmp_path / "to", monkeypatch, capsys)
        for uri in (f"runs:/{run}/model/artifacts/served", f"runs:/{'f' * 32}/model", f"runs:/{run}/other", "odd:/x")
    ]
    assert told[0] == {"directory": str(tmp_path / "to" / "served")}
    assert (tmp_path / "to" / "served" / "manifest.json").is_file()
    assert told[1:3] == [{"missing": True}, {"missing": True}]
    assert str(told[3]).startswith("{'failed': ")


def test_the_innermost_error_is_told_in_one_line() -> None:
    outer, inner = OSError("MLflow's words"), ConnectionRefusedError("refused\n  by all")
    outer.__cause__ = inner
    assert download.in_one_line(outer) == "refused by all"
    assert download.in_one_line(ValueError()) == "ValueError"
    assert download.in_one_line("x" * 400) == "x" * 300
