"""Trains the first model of a new deployment: `python -m deploy.bootstrap`.

Runs the pipeline if the registry holds no version that the gate has decided about. Otherwise it does nothing, even if
code or parameters have changed.
"""

import subprocess
import sys
from pathlib import Path

from training.errors import PipelineError
from training.params.whole import load_params
from training.project import Project
from training.tracking.connection import connect, mlflow_errors
from training.tracking.versions import DECISION


def main() -> None:
    """Run the pipeline if the registry has no decided version, and exit with its code."""
    try:
        decided = _has_decided(Project(Path.cwd()))
    except PipelineError as error:
        sys.exit(f"bootstrap: {error}")
    if decided:
        sys.stdout.write("bootstrap: the registry has a model; nothing to do\n")
        return
    sys.exit(subprocess.run(["dvc", "repro"], check=False).returncode)


def _has_decided(project: Project) -> bool:
    registration = load_params(project.params).registration
    client = connect(project.root, registration.experiment)
    with mlflow_errors():
        versions = client.search_model_versions(f"name='{registration.name}'")
    return any(DECISION in version.tags for version in versions)


if __name__ == "__main__":
    main()
