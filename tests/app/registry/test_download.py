"""The program that downloads a version, against a real MLflow server."""

import errno
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


@pytest.mark.long
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


def test_of_the_innermost_error_only_the_system_s_words_are_told() -> None:
    outer, inner = OSError("MLflow's words"), ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    outer.__cause__ = inner
    assert download.in_our_words(outer) == "Connection refused"
    assert download.in_our_words(TimeoutError("The read operation timed out")) == "timed out"
    assert download.in_our_words(ValueError("Invalid header value b'Bearer secret'")) == "ValueError"
