import json
import os
import time
from pathlib import Path

import pytest

from app.contract.artifact_directory import content_hash, load_artifact
from app.model.errors import DownloadFailedError
from app.model.registered_version import RegisteredVersion
from app.registry.cache import ModelCache
from app.settings import Settings
from tests.artifacts import make_artifact, write


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(model_cache_dir=tmp_path / "with space" / "cache", model_name="my films")


def registered(version: int, created: int = 0) -> RegisteredVersion:
    return RegisteredVersion(str(version), created, "run")


def add(cache: ModelCache, added: RegisteredVersion, seed: int | None = None) -> None:
    with cache.download_directory() as directory:
        artifact = write(directory / "served", make_artifact(seed=int(added.version) if seed is None else seed))
        cache.add(added, artifact, content_hash(artifact))


def directories(settings: Settings) -> list[str]:
    return sorted(path.name[:2] for path in (settings.model_cache_dir / "my films").iterdir() if path.is_dir())


def test_a_new_cache_is_empty_and_makes_no_directory(settings: Settings) -> None:
    assert ModelCache(settings).entries() == []
    assert not settings.model_cache_dir.exists()


def test_what_was_added_is_found_by_another_process(settings: Settings) -> None:
    add(ModelCache(settings), registered(1))
    entry = ModelCache(settings).find(registered(1))
    assert entry is not None
    load_artifact(entry.directory)


def test_the_same_number_from_another_registry_is_another_release(settings: Settings) -> None:
    cache = ModelCache(settings)
    add(cache, registered(1, created=1))
    assert cache.find(registered(1, created=2)) is None


def test_the_current_version_and_the_one_before_are_kept(settings: Settings) -> None:
    cache = ModelCache(settings)
    for version in (1, 2, 3, 4):
        add(cache, registered(version))
    assert [entry.registered.version for entry in cache.entries()] == ["4", "3"]
    assert directories(settings) == ["3-", "4-"]


def test_moving_back_makes_the_former_version_the_first(settings: Settings) -> None:
    cache = ModelCache(settings)
    add(cache, registered(1))
    add(cache, registered(2))
    former = cache.find(registered(1))
    assert former is not None
    cache.keep(former)
    assert [entry.registered.version for entry in cache.entries()] == ["1", "2"]


def test_the_same_bytes_are_not_kept_twice(settings: Settings) -> None:
    cache = ModelCache(settings)
    add(cache, registered(1, created=1), seed=5)
    add(cache, registered(1, created=2), seed=5)
    assert [entry.registered.created for entry in cache.entries()] == [2]
    assert directories(settings) == ["1-"]


def test_aliases_do_not_remove_each_others_versions(settings: Settings) -> None:
    challenger = ModelCache(settings.model_copy(update={"model_alias": "Challenger"}))
    add(challenger, registered(9))
    cache = ModelCache(settings)
    for version in (1, 2, 3):
        add(cache, registered(version))
    assert [entry.registered.version for entry in challenger.entries()] == ["9"]
    assert directories(settings) == ["2-", "3-", "9-"]


def test_a_damaged_entry_can_be_discarded(settings: Settings) -> None:
    cache = ModelCache(settings)
    add(cache, registered(1))
    cache.discard(cache.entries()[0])
    assert cache.entries() == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"entries": [1]}', '{"entries": [{"directory": "1-0"}]}', "\0"])
def test_an_unreadable_index_is_ignored(settings: Settings, content: str) -> None:
    cache = ModelCache(settings)
    add(cache, registered(1))
    (settings.model_cache_dir / "my films" / "production.json").write_text(content)
    assert cache.entries() == []
    add(cache, registered(2))
    assert [entry.registered.version for entry in cache.entries()] == ["2"]


def test_an_index_can_not_point_out_of_the_cache(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "with space" / "outside").mkdir(parents=True)
    cache = ModelCache(settings)
    add(cache, registered(1))
    entry = {"directory": "../../outside", "release": {"version": "1", "created": 0, "run_id": ""}}
    (settings.model_cache_dir / "my films" / "production.json").write_text(json.dumps({"entries": [entry]}))
    assert cache.entries() == []


def test_only_its_own_directories_are_removed(settings: Settings) -> None:
    home = settings.model_cache_dir / "my films"
    (home / "my photographs").mkdir(parents=True)
    (home / ".download-running").mkdir()
    (home / ".download-abandoned").mkdir()
    long_ago = time.time() - 7200
    os.utime(home / ".download-abandoned", (long_ago, long_ago))
    add(ModelCache(settings), registered(1))
    names = {path.name for path in home.iterdir() if not path.name.startswith("1-")}
    assert names == {"my photographs", ".download-running", "production.json"}


def break_off(cache: ModelCache) -> None:
    with cache.download_directory() as directory:
        (directory / "half").touch()
        raise RuntimeError("broken off")


def test_a_failed_download_leaves_nothing(settings: Settings) -> None:
    with pytest.raises(RuntimeError, match="broken off"):
        break_off(ModelCache(settings))
    assert list((settings.model_cache_dir / "my films").iterdir()) == []


def test_a_cache_that_can_not_be_written_is_explained(settings: Settings) -> None:
    settings.model_cache_dir.parent.mkdir()
    settings.model_cache_dir.write_text("a file in the way")
    with (
        pytest.raises(DownloadFailedError, match=r"MODEL_CACHE_DIR can't be written at .*: .*Not a directory"),
        ModelCache(settings).download_directory(),
    ):
        pass
