"""A backup brings the registry back: versions, aliases, users and files."""

from pathlib import Path

import pytest

from tests.compose.deployment import Deployment, docker

pytestmark = pytest.mark.compose


def test_a_registry_that_was_lost_comes_back_from_its_backup(deployment: Deployment, scratch: Path) -> None:
    deployment.mlflow(
        "admin", "registered-models/alias", {"name": "movie-recommender", "alias": "kept", "version": "1"}
    )
    deployment.script("backup", str(scratch / "backup"))
    deployment.compose("rm", "--stop", "--force", "mlflow", "postgres")
    docker("volume", "rm", f"{deployment.name}_postgres", f"{deployment.name}_artifacts")
    deployment.script("restore", str(scratch / "backup"))
    status, model = deployment.mlflow("api", "registered-models/get?name=movie-recommender")
    assert status == 200
    assert {"alias": "kept", "version": "1"} in model["registered_model"]["aliases"]
    # The file itself, by a service that has nothing in its cache.
    deployment.compose("rm", "--stop", "--force", "api")
    docker("volume", "rm", f"{deployment.name}_api-cache")
    deployment.compose("up", "--detach", "--no-deps", "--wait", "api")
    deployment.wait_for("1")
