"""The version stands in one place, and a release that lacks something is refused with what it lacks."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from app.contract.version import VERSION
from app.settings import Settings
from scripts import release
from tests.client import serving
from tests.processes import PROJECT, free_port
from tests.repository import GIT

WHOLE = f"""# Changelog

## Unreleased

## {VERSION} – 2026-11-30

### Deprecated

* Format 1 of the artifact; 2.0.0
  won't read it.

### Upgrade notes

* Nothing.

## 0.1.0

* All.
"""


@pytest.mark.parametrize("half", ["app", "training"])
def test_both_halves_say_the_version(half: str) -> None:
    said = subprocess.run(
        [sys.executable, "-m", half, "--version"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"movie-recommender {VERSION}\n"


def test_the_service_says_the_version_over_http(tmp_path: Path) -> None:
    settings = Settings(mlflow_tracking_uri=f"http://127.0.0.1:{free_port()}", model_cache_dir=tmp_path)
    with serving(settings) as client:
        assert client.get("/openapi.json").json["info"]["version"] == VERSION
        assert client.get("/model").json["service_version"] == VERSION


def test_no_other_source_says_the_version() -> None:
    sources = [
        *PROJECT.glob("Dockerfile*"),
        PROJECT / "pyproject.toml",
        PROJECT / "Makefile",
        PROJECT / "docker-compose.yml",
    ]
    sources += [path for room in ("app", "training", "scripts", "deploy") for path in (PROJECT / room).rglob("*.py")]
    said = [path for path in sources if f'"{VERSION}"' in path.read_text(encoding="utf-8")]
    assert said == [PROJECT / "app" / "contract" / "version.py"]


def test_the_pages_of_this_release_are_whole() -> None:
    changelog, security = ((PROJECT / name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "SECURITY.md"))
    problems = [*release.changelog_problems(changelog), *release.security_problems(security)]
    assert [problem for problem in problems if "Unreleased" not in problem] == []


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("## Unreleased\n", "## Unreleased\n\n* More.\n", "move what is below Unreleased"),
        (f"## {VERSION} –", "## 9.9.9 –", f"there is no heading '## {VERSION} – YYYY-MM-DD'"),
        ("### Deprecated", "### Misc", "Misc is not a kind of change; known are Added, Changed"),
        ("### Upgrade notes", "### Fixed", "say in Upgrade notes what a person has to do"),
        ("2.0.0", "Soon a release", r"say with which release this ends: \* Format 1 of the artifact; Soon"),
    ],
)
def test_what_a_changelog_lacks_is_named(before: str, after: str, problem: str) -> None:
    assert list(release.changelog_problems(WHOLE)) == []
    with pytest.raises(AssertionError, match=problem):
        assert list(release.changelog_problems(WHOLE.replace(before, after, 1))) == []


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A commit that can be released, and a Docker that writes down how it is called and says the label `label`."""
    root, docker = tmp_path / "the project", tmp_path / "bin" / "docker"
    for name, text in {"CHANGELOG.md": WHOLE, "SECURITY.md": f"| {VERSION.rpartition('.')[0]} | yes |\n"}.items():
        root.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / ".gitignore").write_text("/release/\n")
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n[ $1 = build ] || cat {tmp_path}/label\n')
    docker.chmod(0o755)
    (tmp_path / "label").write_text(VERSION)
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(docker.parent), prepend=":")
    monkeypatch.setattr(release, "ROOT", root)
    subprocess.run("git init --quiet; git add .; git commit --quiet --message all", shell=True, cwd=root, check=True)  # noqa: S602
    return root


def test_a_whole_release_has_an_archive_and_labelled_images(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release.main()
    with tarfile.open(repository / "release" / f"movie-recommender-{VERSION}.tar.gz") as archive:
        assert f"movie-recommender-{VERSION}/CHANGELOG.md" in archive.getnames()
    builds = [line for line in (tmp_path / "called").read_text().splitlines() if line.startswith("build ")]
    assert [
        f"--tag movie-recommender-{part}:{VERSION}" in line for part, line in zip(release.PARTS, builds, strict=True)
    ] == [True] * 3
    assert all(f"VERSION={VERSION}" in line for line in builds[:2])
    assert f"TRAIN_IMAGE=movie-recommender-train:{VERSION}" in builds[2]
    assert f"git tag v{VERSION}" in capsys.readouterr().out


def test_an_image_without_the_label_is_refused(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "label").write_text("unreleased")
    with pytest.raises(SystemExit, match=r"has the label org\.opencontainers\.image\.version 'unreleased', not"):
        release.main()


def test_what_is_not_committed_and_a_tag_elsewhere_are_named(repository: Path) -> None:
    subprocess.run(["git", "tag", f"v{VERSION}"], cwd=repository, check=True)
    release.main()
    subprocess.run(["git", "commit", "--quiet", "--allow-empty", "--message", "more"], cwd=repository, check=True)
    (repository / "SECURITY.md").write_text("nothing")
    with pytest.raises(SystemExit) as refused:
        release.main()
    said = str(refused.value)
    for part in ("SECURITY.md: its table has no line of", "M SECURITY.md", f"the tag v{VERSION} is on another commit"):
        assert part in said
