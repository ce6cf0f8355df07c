"""What several rooms of the pipeline need for their tests."""

from pathlib import Path

import pytest

from training.tracking.connection import connect


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that MLflow has made, to be copied: making one takes seconds."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
        connect(folder, "unused")
    return folder / "mlflow.db"
