"""A copy of the project in a folder of its own, with its commands; with or without git."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.processes import PROJECT

SOURCES = (
    "app", "training", "scripts", "recipes", "data/own", "dvc.yaml", "params.yaml",
    ".dvcignore", ".dvc/config", ".dvc/.gitignore", ".gitignore",
)  # fmt: skip
# Nobody's own settings of git.
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{role}_{key}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
}


class Repository:
    """The project's folder `root`, and the environment in which commands run there."""

    def __init__(self, root: Path, mlflow_uri: str | None = None) -> None:
        """Without `mlflow_uri` MLflow is SQLite and files in the folder."""
        self.root = root
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, **GIT, "PATH": path}
        for variable in ("MLFLOW_TRACKING_URI", "EVENTS_URL"):  # as a person has them: unset
            self.environment.pop(variable, None)
        if mlflow_uri is not None:
            self.environment["MLFLOW_TRACKING_URI"] = mlflow_uri

    @classmethod
    def copy(cls, root: Path, mlflow_uri: str | None = None) -> "Repository":
        """The sources, as an archive of them holds them, with a small LightFM."""
        for name in SOURCES:
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
            copy(PROJECT / name, target)
        repository = cls(root, mlflow_uri)
        repository.change(models__lightfm__epochs=4, models__lightfm__embedding_size=16)
        return repository

    def clone(self, root: Path) -> "Repository":
        """What git knows of it, in another folder."""
        self.shell(f"git clone --quiet . '{root}'")
        return Repository(root)

    def without_git(self) -> None:
        """Tell DVC that there is no git, as in an archive of the sources."""
        self.run("dvc", "config", "--local", "core.no_scm", "true")

    def run(self, *command: str) -> str:
        """The output of a module of this Python, which must succeed."""
        return self._output([sys.executable, "-m", *command])

    def shell(self, command: str) -> str:
        """The output of a line as somebody types it, which must succeed."""
        return self._output(["bash", "-c", command])

    def commit(self, message: str) -> None:
        """Commit all that git doesn't ignore; the first time, make it a git repository."""
        self.shell(f"git init --quiet --initial-branch main; git add . && git commit --quiet --message '{message}'")

    def change(self, **changes: Any) -> None:
        """Set parameters; `models__lightfm__epochs` is models.lightfm.epochs."""
        yaml = YAML()
        content = yaml.load(self.root / "params.yaml")
        for key, value in changes.items():
            *path, last = key.split("__")
            section = content
            for part in path:
                section = section[part]
            section[last] = value
        yaml.dump(content, self.root / "params.yaml")

    def _output(self, command: list[str]) -> str:
        # Not a pipe: what a command leaves running in the background would keep it open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, cwd=self.root, env=self.environment, stdout=output, stderr=subprocess.STDOUT, check=False
            )
            output.seek(0)
            text = output.read()
        assert done.returncode == 0, f"{' '.join(command)}\n{text}"
        return text
