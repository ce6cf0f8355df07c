"""Format 1 is read as long as registries hold it.

`format_1/served` was written by the last release that wrote that format, and `format_1/answers.json` is what that
release answered from it.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.contract.artifact import ArtifactError, load_artifact
from app.contract.format_1 import CATALOGUE, MAX_CATALOGUE_BYTES
from app.contract.recommender import Recommender
from tests.app.conftest import offline_settings
from tests.app.contract.hostile import list_hash, rewrite_array
from tests.client import Client, put_in_cache, serving

FOLDER = Path(__file__).with_name("format_1")
ANSWERS: dict[str, str] = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture
def former(tmp_path: Path) -> Path:
    return shutil.copytree(FOLDER / "served", tmp_path / "served")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    directory = tmp_path_factory.mktemp("format 1")
    settings = offline_settings(directory)
    put_in_cache(settings, shutil.copytree(FOLDER / "served", directory / "served"))
    with serving(settings) as client:
        yield client


@pytest.mark.parametrize("path", ANSWERS)
def test_format_1_is_answered_as_by_the_release_that_wrote_it(service: Client, path: str) -> None:
    assert service.get(path).body.decode() == ANSWERS[path]


def test_format_1_is_ranked_as_its_ready_lists_say(former: Path) -> None:
    artifact = load_artifact(former)
    recommender = Recommender(artifact)
    items, scores = np.load(former / "ranked_items.npy"), np.load(former / "ranked_scores.npy")
    for row in range(recommender.n_users):
        found = items[row] >= 0
        for ranking in (
            recommender.ready(row, 5),
            recommender.top(recommender.user_vector(row), 5, recommender.seen(row)),
        ):
            assert ranking.items[0].tolist() == items[row][found].tolist()
            assert ranking.scores[0].tolist() == scores[row][found].tolist()


def test_all_that_was_seen_in_format_1_counts_as_liked(former: Path) -> None:
    recommender = Recommender(load_artifact(former))
    assert recommender.liked(0).tolist() == recommender.seen(0).tolist() == [0, 3, 7]


def test_what_format_2_has_no_place_for_is_not_opened(former: Path) -> None:
    (former / "user_biases.npy").unlink()
    (former / "ranked_scores.npy").write_bytes(b"no array")
    load_artifact(former)


def test_ready_lists_may_be_missing_in_format_1(former: Path) -> None:
    manifest = json.loads((former / "manifest.json").read_text())
    del manifest["files"]["ranked_items.npy"]
    (former / "manifest.json").write_text(json.dumps(manifest))
    assert load_artifact(former).ready_items is None


@pytest.mark.parametrize("name", ["encoder.npy", "ranked_items.npy", CATALOGUE])
def test_a_missing_or_damaged_file_of_format_1_is_named(former: Path, name: str) -> None:
    (former / name).write_bytes((former / name).read_bytes()[:-1] + b" ")
    with pytest.raises(ArtifactError, match=rf"{name} does not have the SHA-256|{name} is not readable JSON"):
        load_artifact(former)
    (former / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is missing"):
        load_artifact(former)


def test_ready_lists_of_format_1_that_point_outside_the_items_are_refused(former: Path) -> None:
    rewrite_array(former, "ranked_items", np.full((4, 5), 12, dtype=np.int32))
    with pytest.raises(ArtifactError, match=r"ready_items\.npy points outside the items"):
        load_artifact(former)


def rewrite_catalogue(former: Path, change: Callable[[dict[str, Any]], object]) -> None:
    films = json.loads((former / CATALOGUE).read_text())
    change(films)
    (former / CATALOGUE).write_text(json.dumps(films))
    list_hash(former, CATALOGUE)


@pytest.mark.parametrize(
    ("film", "message"),
    [
        ([], r"holds \[\] for '2'; expected an object"),
        ({}, "holds the title None for '2'; expected text"),
        ({"title": 5}, "holds the title 5 for '2'; expected text"),
        ({"title": "x", "year": "MCMXC"}, "holds the year 'MCMXC' for '2'; expected a whole number"),
        ({"title": "x", "year": 2**31}, "holds the year 2147483648 for '2'; expected a whole number"),
        ({"title": "x", "year": float("nan")}, "holds the year nan for '2'; expected a whole number"),
        ({"title": "x", "genres": "Comedy|Drama"}, r"holds the genres 'Comedy\|Drama' for '2'; expected a list"),
        ({"title": "x", "genres": [1]}, r"holds the genres \[1\] for '2'; expected a list"),
        ({"title": "\ud800"}, "holds text for '2' that UTF-8 can't express: surrogates not allowed"),
    ],
)
def test_a_film_of_format_1_that_can_not_be_answered_is_refused(former: Path, film: object, message: str) -> None:
    rewrite_catalogue(former, lambda films: films.__setitem__("2", film))
    with pytest.raises(ArtifactError, match=rf"catalogue\.json {message}"):
        load_artifact(former)


def test_a_film_missing_from_the_catalogue_of_format_1_is_named(former: Path) -> None:
    rewrite_catalogue(former, lambda films: [films.pop("3"), films.pop("4")])
    with pytest.raises(ArtifactError, match=r"catalogue\.json lacks 2 items, the first is '3'"):
        load_artifact(former)


def test_a_huge_catalogue_of_format_1_is_refused_unread(former: Path) -> None:
    with (former / CATALOGUE).open("r+b") as file:
        file.truncate(MAX_CATALOGUE_BYTES + 1)  # sparse: takes no space
    with pytest.raises(ArtifactError, match=rf"catalogue\.json is larger than {MAX_CATALOGUE_BYTES} bytes"):
        load_artifact(former)


def test_a_manifest_of_format_1_must_list_the_catalogue(former: Path) -> None:
    manifest = json.loads((former / "manifest.json").read_text())
    del manifest["files"][CATALOGUE]
    (former / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"manifest\.json does not list catalogue\.json"):
        load_artifact(former)
