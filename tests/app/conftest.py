"""Services for tests of routes: one with a small model, one with very different films, one without a model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.contract.artifact import Artifact
from app.contract.columns import Column
from app.settings import Settings
from tests.artifacts import Film, make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.processes import free_port


@pytest.fixture(autouse=True)
def _mlflow_as_the_service_sets_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes variables that other tests, or the person who runs them, have set."""
    for name in ("TRACKING_URI", "HTTP_REQUEST_MAX_RETRIES", "HTTP_REQUEST_TIMEOUT"):
        monkeypatch.delenv(f"MLFLOW_{name}", raising=False)


def offline_settings(directory: Path) -> Settings:
    address = f"http://127.0.0.1:{free_port()}"
    return Settings(
        mlflow_tracking_uri=address, model_cache_dir=directory / "cache", model_poll_seconds=0.5, log_level="WARNING"
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


FILMS = {
    10: ("Amélie", 2001, ["Comedy", "Romance"]),
    20: ("Toy Story", 1995, ["Animation", "Comedy"]),
    30: ("Toy Story 2", 1999, ["Animation", "Comedy"]),
    40: ("The Ring", 2002, ["Horror"]),
    50: ("Matrix, The", 1999, ["Sci-Fi", "Action"]),
    60: ("Alien³", 1992, ["Sci-Fi", "Horror"]),
    70: ("$", 1971, ["Crime"]),
    80: ("Never Shown", None, []),
}


# What is known of people: m, and those who joined from 2020 on, like the upper rows of films, others the lower ones.
ATTRIBUTES = [
    Column("sex", "tag", filter=False, shown=False),
    Column("joined", "time", filter=False, shown=False),
    Column("taste", "vector", filter=False, shown=False),
    Column("age", "number", filter=False, shown=False),
]
ABOUT_PEOPLE = [
    {"column": "sex", "value": "m"}, {"column": "sex", "value": "f"}, {"column": "joined", "from": 1577836800},
    {"column": "taste", "component": 0, "scale": 2.0}, {"column": "taste", "component": 1, "scale": 2.0},
    {"column": "age", "from": None, "to": 18},
]  # fmt: skip


def make_films() -> Artifact:
    """Users 1 and 2 like the upper rows best, 4 the lower ones; 3 has no vector, and no user has seen film 80.

    The closer the rows of two films are, the more similar the films. User 1 did not like film 10; what others saw they
    liked.
    """
    embeddings = np.array([[8, 0], [7, 1], [6, 2], [5, 3], [4, 4], [3, 5], [2, 6], [1, 7]], dtype=np.float32)
    return make_artifact(
        item_ids=list(FILMS),
        dim=2,
        seen={0: [0, 1], 1: [0, 1, 2, 4, 5, 6, 7], 2: [0]},
        user_embeddings=np.array([[1, 0], [1, 0], [0, 0], [0, 1]], dtype=np.float32),
        item_embeddings=embeddings,
        item_biases=np.zeros(8, dtype=np.float32),
        item_popularity=np.array([8, 7, 6, 5, 4, 3, 2, 0]),
        seen_liked=np.arange(10) > 0,
        encoder=embeddings,
        films=[Film(*film) for film in FILMS.values()],
        user_encoder=np.array([[1, 0], [0, 1], [1, 0], [1, 0], [0, 1], [0, 1], [0, 0]], dtype=np.float32),
        user_features=ABOUT_PEOPLE,
        user_columns=ATTRIBUTES,
    )


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The service with these films."""
    directory = tmp_path_factory.mktemp("films")
    settings = offline_settings(directory)
    put_in_cache(settings, write(directory / "served", make_films()), version="7")
    with serving(settings) as running:
        yield running


def ids(client: Client, path: str) -> list[int]:
    """The ids of an answer's films."""
    answer = client.get(path)
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.json["items"]]


# Texts that are no ids, and that some part of the service might fail on.
ODD_IDS = [
    "ä", "日本", "😀", " ", "a/b", "/", "//", "a/recommendations", "a/similar/b", "..", "../model", "%2F", "?", "#",
    "a\0b", "\0", "x" * 10_000, "1\0", "1 ", "01", "\r\n", "null", '"', "'; DROP TABLE users", "\u202e", "9" * 5000,
]  # fmt: skip
