import gc
import os
import resource
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from app.errors import NoModelError
from app.model.errors import ModelNotLoadedError, ModelRefusedError
from app.model.registered_version import RegisteredVersion
from app.model.store import ModelStore, load_model
from tests.artifacts import damage, make_film, write

RELEASE = RegisteredVersion("1", created=0, run_id="")


def test_before_the_first_model_a_request_is_told_so() -> None:
    with pytest.raises(NoModelError, match="No model has been loaded yet"):
        ModelStore().require()


def test_a_swap_does_not_touch_a_model_in_use(tmp_path: Path) -> None:
    store = ModelStore()
    for version in ("1", "2"):
        store.swap(load_model(write(tmp_path / version), RegisteredVersion(version, 0, "")))
        if version == "1":
            in_use = store.require()
    assert (in_use.version, store.require().version) == ("1", "2")


def test_a_model_is_described_by_what_was_loaded(tmp_path: Path) -> None:
    directory = write(tmp_path / "served")
    model = load_model(directory, RELEASE)
    assert model.described.content_hash == sha256((directory / "manifest.json").read_bytes()).hexdigest()
    assert (model.version, model.artifact.recipe.family) == ("1", "test")


def test_a_mapped_model_survives_the_removal_of_its_files(tmp_path: Path) -> None:
    directory = write(tmp_path / "served")
    model = load_model(directory, RELEASE)
    for path in directory.iterdir():
        path.unlink()
    assert model.recommender.popular(3).items[0].tolist() == [0, 1, 2]
    assert model.catalogue.item(5) == {"id": 60, **make_film("60")._asdict()}


def test_films_are_read_from_the_artifact_s_own_arrays(tmp_path: Path) -> None:
    model = load_model(write(tmp_path / "served"), RELEASE)
    assert model.catalogue.item(0) == {"id": 10, **make_film("10")._asdict()}


def test_a_former_model_is_freed_without_the_garbage_collector(tmp_path: Path) -> None:
    model = load_model(write(tmp_path / "served"), RELEASE)
    model.catalogue.fragment(0)
    held = weakref.ref(model.catalogue)
    gc.disable()
    try:
        del model
        assert held() is None
    finally:
        gc.enable()


def test_a_damaged_artifact_is_refused_by_the_name_of_its_file(tmp_path: Path) -> None:
    directory = write(tmp_path / "served")
    damage(directory / "item_biases.npy")
    with pytest.raises(ModelRefusedError, match=r"^item_biases\.npy does not have the SHA-256"):
        load_model(directory, RELEASE)


def test_popular_films_are_written_as_json_before_the_first_request(tmp_path: Path) -> None:
    model = load_model(write(tmp_path / "served"), RELEASE)
    warm = model.catalogue.fragment.cache_info().misses
    model.catalogue.fragment(0)
    assert model.catalogue.fragment.cache_info().misses == warm > 0


def test_a_process_without_descriptors_does_not_refuse_the_artifact(tmp_path: Path) -> None:
    directory = write(tmp_path / "served")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open(directory, os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        with pytest.raises(ModelNotLoadedError, match="Too many open files"):
            load_model(directory, RELEASE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert load_model(directory, RELEASE).version == "1"


def test_threads_load_models_at_once_while_objects_are_freed(tmp_path: Path) -> None:
    def pause(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)  # another thread runs, as a finalizer of any object may let it

    directory, thresholds = write(tmp_path / "served"), gc.get_threshold()
    gc.callbacks.append(pause)
    gc.set_threshold(20)
    try:
        with ThreadPoolExecutor(4) as threads:
            models = list(threads.map(lambda _: load_model(directory, RELEASE), range(8)))
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(pause)
    assert [model.version for model in models] == ["1"] * 8
