"""What the engine gets of the project's folder to build images from."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.processes import PROJECT

pytestmark = pytest.mark.compose

SECRETS = (
    ".env", "secrets/API_KEYS", "app/.env", "data/own/.env", "deploy/.env", "deploy/kubernetes/overlays/one-node/.env",
    "training/.netrc", "app/web/id_rsa", "deploy/events/credentials.json", ".dvc/config.local", "data/own/key.pem",
)  # fmt: skip


def tracked(*paths: str) -> list[str]:
    command = ["git", "ls-files", *paths]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_secrets_among_the_files_stay_out_and_all_of_the_code_goes_in(tmp_path: Path) -> None:
    project, context = tmp_path / "project", tmp_path / "context.tar"
    for name in tracked():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, project / name)
    for name in SECRETS:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("a secret", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
    options = ["--file", str(tmp_path / "Dockerfile"), "--output", f"type=tar,dest={context}"]
    subprocess.run(["docker", "buildx", "build", *options, str(project)], check=True)
    with tarfile.open(context) as content:
        names = {member.name for member in content if member.isfile()}
    assert not names & set(SECRETS)
    needed = {name for name in tracked("app", "training", "deploy/*.py") if not name.endswith((".md", ".gitignore"))}
    assert needed <= names
