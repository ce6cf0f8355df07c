"""A service with a model, and one without, for tests of single routes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.settings import Settings
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.processes import free_port


@pytest.fixture(autouse=True)
def _mlflow_as_the_service_sets_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that other tests, or the person who runs them, have set."""
    for name in ("TRACKING_URI", "HTTP_REQUEST_MAX_RETRIES", "HTTP_REQUEST_TIMEOUT"):
        monkeypatch.delenv(f"MLFLOW_{name}", raising=False)


def offline_settings(directory: Path) -> Settings:
    address = f"http://127.0.0.1:{free_port()}"
    return Settings(
        mlflow_tracking_uri=address, model_cache_dir=directory / "cache", model_poll_seconds=0.05, log_level="WARNING"
    )


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Users 1 to 4, films 10 to 60: 1 has seen 10 and 20, 2 all but 60; 3 has seen 10 and has no vector.

    The more rows down, the fewer interactions a film has; the model ranks them by user 1's first number.
    """
    directory = tmp_path_factory.mktemp("service")
    artifact = make_artifact(
        dim=2,
        seen={0: [0, 1], 1: [0, 1, 2, 3, 4], 2: [0]},
        user_embeddings=np.array([[1, 0], [1, 0], [0, 0], [0, 1]], dtype=np.float32),
        item_embeddings=np.array([[6, 1], [5, 2], [1 / 3, 3], [4, 4], [3, 5], [2, 6]], dtype=np.float32),
        item_biases=np.zeros(6, dtype=np.float32),
    )
    settings = offline_settings(directory)
    put_in_cache(settings, write(directory / "served", artifact), version="7")
    with serving(settings) as running:
        yield running


@pytest.fixture(scope="session")
def empty_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service that has no model and whose registry is a closed port."""
    with serving(offline_settings(tmp_path_factory.mktemp("empty"))) as running:
        yield running
