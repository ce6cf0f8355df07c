"""MODEL_DIR serves a folder in place of the registry, which is a closed port here."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.contract.artifact_directory import content_hash
from app.model.errors import DownloadFailedError
from app.model.store import ModelStore
from app.observability.telemetry import Telemetry
from app.registry.folder import ModelFolder
from app.registry.follower import Follower
from tests.artifacts import damage, make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.metrics import collected, samples
from tests.processes import wait_until
from tests.registry import TestRegistry

TOKEN = {"Authorization": "Bearer the token"}


class Following:
    """A follower of a folder that polls when a test tells it to."""

    def __init__(self, make_settings: MakeSettings, folder: Path) -> None:
        self.settings = make_settings(model_dir=folder)
        self.store = ModelStore()
        self.telemetry = Telemetry()
        self.follower = Follower(self.settings, self.store, self.telemetry.model)

    def poll(self) -> tuple[str | None, str]:
        """Poll once; returns the loaded version and the status."""
        self.follower.poll()
        return None if self.store.current is None else self.store.current.version, self.follower.state.status

    @property
    def problem(self) -> str:
        problem = self.follower.state.last_problem
        return "" if problem is None else problem.message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder, which does not exist yet."""
    return tmp_path / "models" / "served"


@pytest.fixture
def following(make_settings: MakeSettings, folder: Path) -> Following:
    return Following(make_settings, folder)


def version(folder: Path) -> str:
    return content_hash(folder)[:12]


def test_what_the_folder_holds_is_served_and_followed(following: Following, folder: Path) -> None:
    first = version(write(folder, make_artifact(seed=1)))
    assert following.poll() == (first, "ok")
    served = following.store.current
    assert following.poll() == (first, "ok")
    assert following.store.current is served
    second = version(write(folder, make_artifact(seed=2)))
    assert first != second
    assert following.poll() == (second, "ok")


def test_a_folder_that_is_absent_is_told_and_found_once_it_is_there(following: Following, folder: Path) -> None:
    assert following.poll() == (None, "artifact_missing")
    assert following.problem == f"MODEL_DIR {folder} holds no model: manifest.json is missing."
    folder.mkdir(parents=True)
    assert following.poll() == (None, "artifact_missing")
    write(folder)
    assert following.poll() == (version(folder), "ok")


def test_log_lines_name_the_folder(following: Following, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "app")
    for _ in range(2):
        following.poll()
    write(folder)
    following.poll()
    assert caplog.messages == [
        f"Not serving yet: MODEL_DIR {folder} holds no model: manifest.json is missing.",
        f"Serving version {version(folder)} from {folder}",
        f"Following {folder} works again",
    ]


def test_a_file_in_place_of_the_folder_is_told(make_settings: MakeSettings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    following = Following(make_settings, tmp_path / "file")
    assert following.poll() == (None, "artifact_missing")


def test_a_folder_that_can_not_be_read_is_told(following: Following, folder: Path) -> None:
    (folder / "manifest.json").mkdir(parents=True)
    assert following.poll() == (None, "download_failed")
    assert following.problem.startswith(f"MODEL_DIR {folder} can't be read: ")


def test_a_damaged_folder_is_refused_by_the_name_of_its_file_and_the_former_serves_on(
    following: Following, folder: Path
) -> None:
    good = version(write(folder, make_artifact(seed=1)))
    following.poll()
    damage(write(folder, make_artifact(seed=2)) / "item_biases.npy")
    assert following.poll() == (good, "artifact_refused")
    assert following.problem.startswith("item_biases.npy does not have the SHA-256")
    shutil.rmtree(folder)
    assert following.poll() == (good, "artifact_missing")


def test_files_that_are_copied_in_one_by_one_serve_once_they_are_complete(
    following: Following, folder: Path, tmp_path: Path
) -> None:
    former = version(write(folder, make_artifact(seed=1)))
    following.poll()
    new = write(tmp_path / "new", make_artifact(seed=2))
    last = "user_embeddings.npy"
    for path in new.iterdir():
        if path.name != last:
            shutil.copyfile(path, folder / path.name)
    assert following.poll() == (former, "artifact_refused")
    wait_until(lambda: changed_at(folder) < time.time() - 0.1)  # however coarse the file system's clock is
    shutil.copy2(new / last, folder / last)  # a copy with the times of the original
    assert following.poll() == (version(new), "ok")
    assert failures(following) == 0


def test_a_folder_that_changes_while_it_is_copied_is_not_taken_for_what_it_was(
    following: Following, folder: Path, tmp_path: Path
) -> None:
    write(folder, make_artifact(seed=1))
    source = ModelFolder(folder)
    registered = source.resolve().registered
    write(folder, make_artifact(seed=2))
    with pytest.raises(DownloadFailedError, match="changed while it was copied; the next poll tries again"):
        source.fetch(registered, tmp_path)


def test_a_folder_that_stays_incomplete_is_a_failed_swap_at_the_second_poll(following: Following, folder: Path) -> None:
    (write(folder) / "user_embeddings.npy").unlink()
    counted = []
    for _ in range(4):
        following.poll()
        counted.append(failures(following))
    assert counted == [0, 1, 1, 1]


def changed_at(folder: Path) -> float:
    return max(path.stat().st_ctime for path in folder.iterdir())


def failures(following: Following) -> float:
    return collected(following.telemetry.collectors)["recommender_model_swap_failures_total{code=artifact_refused}"]


def test_the_model_that_serves_survives_files_overwritten_in_place(following: Following, folder: Path) -> None:
    following.poll()
    write(folder)
    following.poll()
    model = following.store.require()
    before = model.recommender.popular(3).items.tolist()
    for path in folder.iterdir():
        path.write_bytes(b"")
    assert model.recommender.popular(3).items.tolist() == before


def test_the_cache_is_neither_read_nor_filled(following: Following, folder: Path, tmp_path: Path) -> None:
    put_in_cache(following.settings, write(tmp_path / "cached", make_artifact(seed=5)), "7")
    following.follower.load_last_good()
    assert following.store.current is None
    write(folder)
    assert following.poll() == (version(folder), "ok")
    kept = [path.name for path in (following.settings.model_cache_dir / following.settings.model_name).iterdir()]
    assert sorted(re.sub(r"-.*", "", name) for name in kept) == ["7", "production.json"]


@pytest.fixture
def client(make_settings: MakeSettings, folder: Path) -> Iterator[Client]:
    """A service of the folder that looks only when asked."""
    write(folder, make_artifact(seed=1))
    with serving(make_settings(model_dir=folder, admin_token="the token", model_poll_seconds=3600)) as client:
        wait_until(lambda: client.version() is not None)
        yield client


def test_the_service_says_what_it_serves(client: Client, folder: Path) -> None:
    answer = client.get("/model").json
    assert (answer["version"], answer["alias"]) == (version(folder), None)
    assert answer["content_hash"] == content_hash(folder)
    assert (answer["registry"]["status"], answer["last_problem"]) == ("ok", None)
    assert client.get("/health/ready").json["model_version"] == version(folder)
    assert client.get("/users/1/recommendations").json["model_version"] == version(folder)
    found = samples(client.get("/metrics").body.decode())
    assert (
        found[f"recommender_model_info{{content_hash={content_hash(folder)},family=test,version={version(folder)}}}"]
        == 1
    )
    assert 0 <= found[f"recommender_model_age_seconds{{version={version(folder)}}}"] < 60
    assert found["recommender_model_polls_total{status=ok}"] == 1


def test_reload_polls_the_folder_at_once(client: Client, folder: Path) -> None:
    write(folder, make_artifact(seed=2))
    answer = client.get("/model/reload", "POST", TOKEN).json
    assert (answer["version"], answer["registry"]["status"]) == (version(folder), "ok")


@pytest.mark.long
def test_the_challenger_is_still_an_alias_of_the_registry(
    registry: TestRegistry, make_settings: MakeSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.observability.overlap.COMPARED_SHARE", 1)
    registry.register(alias="challenger")
    write(folder)
    with serving(make_settings(registry, model_dir=folder, trial_share=0)) as client:

        def compared() -> bool:
            assert client.get("/users/1/recommendations?k=2").json["model_version"] == version(folder)
            return (
                samples(client.get("/metrics").body.decode())["recommender_compared_lists_total{outcome=compared}"] > 0
            )

        wait_until(lambda: client.version() is not None)
        wait_until(compared)
