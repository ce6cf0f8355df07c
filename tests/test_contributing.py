"""The examples of CONTRIBUTING.md, applied to a copy of the project, pass the tests that the page names."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import commands
from tests.processes import PROJECT

pytestmark = [pytest.mark.pages, pytest.mark.timeout(600)]

PAGE = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SOURCES = (
    "app", "benchmarks", "data/own", "deploy", "docs", "notebooks", "recipes", "scripts", "tests", "training",
    ".env.example", "dvc.yaml", "LICENSE", "params.yaml", "pyproject.toml",
    *(path.name for path in PROJECT.glob("*.md")),
)  # fmt: skip
# What a change may touch, tests and documentation included.
MOST_FILES = 5


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with all examples applied."""
    root = tmp_path_factory.mktemp("contributing") / "project"
    for name in SOURCES:
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / name, target)
    for path, language, example in examples(PAGE):
        if language == "diff":
            apply(example, root / path)
        else:
            assert not (root / path).exists()
            (root / path).write_text(example, encoding="utf-8")
    return root


def examples(text: str) -> list[tuple[str, str, str]]:
    """Path, language and content of every example; one without a path of its own is for that of the one before."""
    found, path = [], ""
    pattern = r"(?:^`([^`\n]+)`,[^\n]*:\n\n)?^(```+)(python|diff)\n(.*?)^\2$"
    for named, _, language, content in re.findall(pattern, text, re.MULTILINE | re.DOTALL):
        path = named or path
        found.append((path, language, content))
    return found


def apply(diff: str, path: Path) -> None:
    """Replace a text that the file holds once, lines that the diff keeps or removes, by those that it keeps or adds."""
    lines = [(line[:1], line[1:]) for line in diff.removesuffix("\n").split("\n")]
    old = "\n".join(text for sign, text in lines if sign != "+")
    new = "\n".join(text for sign, text in lines if sign != "-")
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1, f"{path.name} holds {content.count(old)} times: {old}"
    path.write_text(content.replace(old, new), encoding="utf-8")


def test_the_examples_pass_the_tests_that_the_page_names(copy: Path) -> None:
    prefix = "python -m pytest "
    named = [command.removeprefix(prefix) for command in commands("CONTRIBUTING.md") if command.startswith(prefix)]
    tests = dict.fromkeys(path for paths in named for path in paths.split())
    run(copy, "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests)


def test_the_examples_are_formatted_and_without_a_warning(copy: Path) -> None:
    files = {path for path, _, _ in examples(PAGE) if path.endswith(".py")}
    run(copy, "ruff", "check", "--no-cache", *files)
    run(copy, "ruff", "format", "--no-cache", "--check", *files)


@pytest.mark.parametrize("section", re.findall(r"^## Add (.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
def test_no_change_needs_more_files_than_a_newcomer_bears(section: str) -> None:
    assert len({path for path, _, _ in examples(section)}) <= MOST_FILES


def run(root: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
