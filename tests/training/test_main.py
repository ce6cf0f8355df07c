"""How a command ends that fails."""

from pathlib import Path

import pytest

import training.__main__ as command
from app.contract.artifact import ArtifactError
from training.errors import DataError


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DataError("the file is empty"), "check: the file is empty"),
        (ArtifactError("x.npy is damaged"), "check: x.npy is damaged; run: dvc repro"),
        (
            PermissionError(13, "Permission denied", "x"),
            r"check: \[Errno 13\] .*; check that it is there, its p",
        ),
        (KeyboardInterrupt(), "check: interrupted; finished work is kept, run the same command again to go on"),
        (MemoryError("9 GB"), r"check: not enough memory \(9 GB\); lower embedding_size, or choose a smaller data set"),
    ],
)
def test_what_a_person_can_correct_ends_it_with_one_sentence(
    error: BaseException, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "load_params", fail)
    with pytest.raises(SystemExit, match=f"^{sentence}"):
        command.main(["check"])


def test_a_bug_is_shown_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "load_params", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command.main(["check"])
