from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.contract.artifact import CATALOGUE
from app.errors import ModelRefusedError, NoModelError
from app.model.release import Release
from app.model.store import ModelStore, load_model
from tests.artifacts import damage, make_artifact, make_film, write

RELEASE = Release("1", created=0, run_id="")


def test_before_the_first_model_a_request_is_told_so() -> None:
    with pytest.raises(NoModelError, match="No model has been loaded yet"):
        ModelStore().require()


def test_a_swap_does_not_touch_a_model_in_use(tmp_path: Path) -> None:
    store = ModelStore()
    for version in ("1", "2"):
        store.swap(load_model(write(tmp_path / version), Release(version, 0, "")))
        if version == "1":
            in_use = store.require()
    assert (in_use.version, store.require().version) == ("1", "2")


def test_a_model_is_described_by_what_was_loaded(tmp_path: Path) -> None:
    directory = write(tmp_path / "served")
    model = load_model(directory, RELEASE)
    assert model.content_hash == sha256((directory / "manifest.json").read_bytes()).hexdigest()
    assert (model.version, model.artifact.recipe.family) == ("1", "test")


def test_a_mapped_model_survives_the_removal_of_its_files(tmp_path: Path) -> None:
    directory = write(tmp_path / "served")
    model = load_model(directory, RELEASE)
    for path in directory.iterdir():
        path.unlink()
    assert len(model.recommender.popular(3).items[0]) == 3


def test_the_films_are_kept_once_and_packed(tmp_path: Path) -> None:
    model = load_model(write(tmp_path / "served"), RELEASE)
    assert model.catalogue.film(0) == {"id": 10, **make_film("10")}
    assert not model.artifact.catalogue


def test_a_damaged_artifact_is_refused_by_the_name_of_its_file(tmp_path: Path) -> None:
    directory = write(tmp_path / "served")
    damage(directory / "item_biases.npy")
    with pytest.raises(ModelRefusedError, match=r"^item_biases\.npy does not have the SHA-256"):
        load_model(directory, RELEASE)


@pytest.mark.parametrize(
    ("film", "message"),
    [
        ({}, r"'20' → 'title', is {}: Field required"),
        ({"title": 5}, r"'20' → 'title', is 5"),
        ({"title": "x", "year": "MCMXC"}, r"'20' → 'year', is 'MCMXC'"),
        ({"title": "x", "year": 2**31}, r"'20' → 'year', is 2147483648"),
        ({"title": "x", "year": float("nan")}, r"'20' → 'year', is nan"),
        ({"title": "x", "genres": "Comedy|Drama"}, r"'20' → 'genres', is 'Comedy\|Drama'"),
        ([], r"'20', is \[\]"),
    ],
)
def test_a_film_that_can_not_be_answered_is_refused(tmp_path: Path, film: Any, message: str) -> None:
    artifact = make_artifact()
    catalogue = {**artifact.catalogue, "20": film}
    with pytest.raises(ModelRefusedError, match=rf"^catalogue\.json, {message}"):
        load_model(write(tmp_path / "served", replace(artifact, catalogue=catalogue)), RELEASE)


def test_text_that_utf8_can_not_express_is_refused(tmp_path: Path) -> None:
    directory = write(tmp_path / "served")
    manifest, catalogue = directory / "manifest.json", directory / CATALOGUE
    before = sha256(catalogue.read_bytes()).hexdigest()
    catalogue.write_text(catalogue.read_text().replace("Film 20", "\\ud800"))
    manifest.write_text(manifest.read_text().replace(before, sha256(catalogue.read_bytes()).hexdigest()))
    with pytest.raises(ModelRefusedError, match=r"^catalogue\.json, '20', holds text that can't be answered"):
        load_model(directory, RELEASE)


def test_year_and_genres_may_be_missing_and_more_may_be_known(tmp_path: Path) -> None:
    artifact = make_artifact()
    films = {"10": {"title": "No more known"}, "20": {**make_film("20"), "year": None, "director": "Anybody"}}
    load_model(write(tmp_path / "served", replace(artifact, catalogue={**artifact.catalogue, **films})), RELEASE)
