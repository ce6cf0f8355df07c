"""How a command ends that fails."""

from collections.abc import Callable
from pathlib import Path

import pytest

import training.__main__ as command
from app.contract.artifact_format import ArtifactError
from tests.training.world import change_params
from training.errors import DataError
from training.project import Project


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


@pytest.mark.parametrize("engine", ["embedded", "spark"])
@pytest.mark.parametrize("arguments", [["prepare"], ["train", "ease"], ["evaluate", "ease"], ["refit"]])
def test_the_engine_decides_what_runs_a_stage(
    arguments: list[str], engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, called = arguments[0], list[str]()

    def runs(place: str) -> Callable[..., str]:
        def run(*_: object) -> str:
            called.append(place)
            return "ease"

        return run

    for place in ("training", "training.spark"):
        monkeypatch.setattr(f"{place}.{stage}.{stage}", runs(place))
    change_params(Project(tmp_path), engine=engine)
    monkeypatch.chdir(tmp_path)
    command.main(arguments)
    assert called == ["training.spark" if engine == "spark" else "training"]
