"""A service whose films differ in everything that can be asked for."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.artifact import Artifact
from tests.app.conftest import offline_settings
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving

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


def make_films() -> Artifact:
    """Users 1 and 2 like the upper rows best, 4 the lower ones; nothing is learned of 3, nobody has seen film 80.

    A film is the more like another the closer their rows are.
    """
    embeddings = np.array([[8, 0], [7, 1], [6, 2], [5, 3], [4, 4], [3, 5], [2, 6], [1, 7]], dtype=np.float32)
    artifact = make_artifact(
        item_ids=list(FILMS),
        dim=2,
        seen={0: [0, 1], 1: [0, 1, 2, 4, 5, 6, 7], 2: [0]},
        user_embeddings=np.array([[1, 0], [1, 0], [0, 0], [0, 1]], dtype=np.float32),
        item_embeddings=embeddings,
        item_biases=np.zeros(8, dtype=np.float32),
        item_popularity=np.array([8, 7, 6, 5, 4, 3, 2, 0]),
        encoder=embeddings,
    )
    films = {
        str(item): {"title": title, "year": year, "genres": genres} for item, (title, year, genres) in FILMS.items()
    }
    return replace(artifact, catalogue=films)


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


# Texts that are ids nowhere, and that something on the way might stumble over.
ODD_IDS = [
    "ä", "日本", "😀", " ", "a/b", "/", "//", "a/recommendations", "a/similar/b", "..", "../model", "%2F", "?", "#",
    "a\0b", "\0", "x" * 10_000, "1\0", "1 ", "01", "\r\n", "null", '"', "'; DROP TABLE users", "\u202e", "9" * 5000,
]  # fmt: skip
