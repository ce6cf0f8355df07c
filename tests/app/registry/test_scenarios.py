"""Whatever happens to the registry, its files and the disk, the service goes on, reports it and counts it.

Each test checks the loaded version, the answer of /model, that exactly the expected metrics grow, and that every GET
route answers.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.contract.artifact_format import FORMAT_VERSION
from app.model.registered_version import RegisteredVersion
from app.registry.mlflow_registry import Registry
from tests.artifacts import damage, make_artifact, write
from tests.client import Client, serving
from tests.conftest import MakeSettings
from tests.door import Door
from tests.every_route import assert_every_route_answers
from tests.metrics import samples
from tests.processes import wait_until
from tests.registry import TestRegistry
from tests.service import serves, service

TOKEN = {"Authorization": "Bearer token"}
POLLS_IN_MINUTES = 20


class Following:
    """A service with version 1 that polls only when a test tells it to."""

    def __init__(self, client: Client) -> None:
        self.client = client
        wait_until(lambda: client.get("/model").json["registry"]["status"] == "ok")
        self._counted = self._count()

    def poll(self, version: str, status: str, **grown: int) -> dict[str, Any]:
        """Poll once and check the outcome; `grown` are failures by code, or swaps. Returns the last problem."""
        answer = self.client.get("/model/reload", "POST", TOKEN).json
        for described in (answer, shown := self.client.get("/model").json):
            described["registry"].pop("age_seconds")
        assert answer == shown
        assert_every_route_answers(self.client)
        assert (answer["version"], answer["registry"]["status"]) == (version, status)
        assert self.client.get("/users/1/recommendations").json["model_version"] == version
        before, self._counted = self._counted, self._count()
        changes = {name: value - before[name] for name, value in self._counted.items() if value != before[name]}
        assert changes == {f"polls_total{{status={status}}}": 1, **{_metric(name): n for name, n in grown.items()}}
        problem: dict[str, Any] = answer["last_problem"] or {}
        return problem

    def _count(self) -> dict[str, float]:
        found = samples(self.client.get("/metrics").body.decode())
        prefix = "recommender_model_"
        return {
            name.removeprefix(prefix): n for name, n in found.items() if name.startswith(prefix) and "total" in name
        }


def _metric(name: str) -> str:
    return "swaps_total" if name == "swaps" else f"swap_failures_total{{code={name}}}"


@pytest.fixture
def following(registry: TestRegistry, make_settings: MakeSettings) -> Iterator[Following]:
    registry.register(alias="production")
    with serving(make_settings(registry, admin_token="token", model_poll_seconds=3600)) as client:
        yield Following(client)


def test_a_new_version_is_one_swap(following: Following, registry: TestRegistry) -> None:
    registry.register(alias="production")
    following.poll("2", "ok", swaps=1)
    following.poll("2", "ok")


@pytest.mark.long
def test_an_alias_that_was_removed_changes_nothing(following: Following, registry: TestRegistry) -> None:
    registry.client.delete_registered_model_alias(registry.name, "production")
    assert following.poll("1", "alias_missing")["message"] == "No version has the alias 'production'."
    registry.move("production", "1")
    following.poll("1", "ok")


@pytest.mark.long
def test_a_version_that_was_deleted_goes_on_serving(following: Following, registry: TestRegistry) -> None:
    # With the version MLflow 3 removes its alias.
    registry.client.delete_model_version(registry.name, "1")
    following.poll("1", "alias_missing")


@pytest.mark.long
def test_a_version_deleted_before_it_was_fetched_is_a_failed_swap(
    following: Following, registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(alias="production")
    fetch = Registry.fetch

    def fetch_too_late(self: Registry, registered: RegisteredVersion, into: Path) -> Path:
        registry.client.delete_model_version(registry.name, registered.version)
        return fetch(self, registered, into)

    with monkeypatch.context() as late:
        late.setattr(Registry, "fetch", fetch_too_late)
        problem = following.poll("1", "version_missing", version_missing=1)
    assert (problem["version"], "is gone from the registry" in problem["message"]) == ("2", True)
    following.poll("1", "alias_missing")


@pytest.mark.long
def test_a_model_that_was_deleted_goes_on_serving(following: Following, registry: TestRegistry) -> None:
    registry.client.delete_registered_model(registry.name)
    assert "has no model named" in following.poll("1", "model_missing")["message"]


@pytest.mark.long
def test_a_version_without_an_artifact_is_a_failed_swap(
    following: Following, registry: TestRegistry, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    registry.register(tmp_path / "empty", alias="production")
    for _ in range(2):
        assert following.poll("1", "artifact_missing", artifact_missing=1)["version"] == "2"


def test_a_damaged_version_is_a_failed_swap_and_not_fetched_again(
    following: Following, registry: TestRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(write(tmp_path / "damaged", make_artifact(seed=2)) / "item_biases.npy")
    registry.register(tmp_path / "damaged", alias="production")
    problem = following.poll("1", "artifact_refused", artifact_refused=1)
    assert problem["version"] == "2"
    assert problem["message"].startswith("item_biases.npy does not have the SHA-256")
    monkeypatch.setattr(Registry, "fetch", lambda *_: pytest.fail("fetched again"))
    for _ in range(3):
        following.poll("1", "artifact_refused")


@pytest.mark.long
def test_a_newer_format_is_a_failed_swap(following: Following, registry: TestRegistry, tmp_path: Path) -> None:
    manifest = write(tmp_path / "newer") / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format_version": FORMAT_VERSION + 1}))
    registry.register(tmp_path / "newer", alias="production")
    message = following.poll("1", "artifact_refused", artifact_refused=1)["message"]
    assert f"newer than {FORMAT_VERSION}: upgrade" in message


@pytest.mark.long
def test_of_two_quick_moves_only_the_last_is_followed(following: Following, registry: TestRegistry) -> None:
    for _ in range(2):
        registry.register(alias="production")
    following.poll("3", "ok", swaps=1)


@pytest.mark.long
def test_a_move_during_a_download_is_followed_by_the_next_poll(
    following: Following, registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(alias="production")
    registry.register()
    fetch = Registry.fetch

    def fetch_and_move(self: Registry, registered: RegisteredVersion, into: Path) -> Path:
        registry.move("production", "3")
        return fetch(self, registered, into)

    monkeypatch.setattr(Registry, "fetch", fetch_and_move)
    following.poll("2", "ok", swaps=1)
    following.poll("3", "ok", swaps=1)


@pytest.mark.long
def test_moving_back_is_a_swap_that_needs_no_download(
    following: Following, registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(alias="production")
    following.poll("2", "ok", swaps=1)
    monkeypatch.setattr(Registry, "fetch", lambda *_: pytest.fail("fetched again"))
    registry.move("production", "1")
    following.poll("1", "ok", swaps=1)


@pytest.mark.long
def test_a_registry_that_is_down_for_minutes_is_found_again(
    registry: TestRegistry, make_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    registry.register(alias="production")
    with Door(int(registry.uri.rpartition(":")[2])) as door:
        settings = make_settings(registry, admin_token="token", model_poll_seconds=3600)
        settings = settings.model_copy(update={"mlflow_tracking_uri": f"http://127.0.0.1:{door.port}"})
        with serving(settings) as client:
            following = Following(client)
            door.shut()
            for _ in range(POLLS_IN_MINUTES):
                assert "Connection refused" in following.poll("1", "registry_unavailable")["message"]
            assert caplog.text.count("Connection refused") == 1
            registry.register(alias="production")
            door.open()
            following.poll("2", "ok", swaps=1)


def can_mount() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare, of util-linux, to make a small disk")
def test_a_disk_that_is_full_is_a_failed_swap_until_there_is_room(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    if not can_mount():
        pytest.skip("may not mount a small disk: user namespaces are off")
    registry.register(alias="production")
    disk = tmp_path / "small disk"
    disk.mkdir()
    settings = make_settings(registry, admin_token="token", model_poll_seconds=3600, model_cache_dir=disk)
    mount = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'
    with service(settings, tmp_path / "log", wrapper=["unshare", "-rm", "sh", "-c", mount, str(disk)]) as (
        client,
        running,
    ):
        wait_until(serves(client, "1"))
        following = Following(client)
        # The disk as only the service sees it.
        filler = Path(f"/proc/{running.pid}/root{disk}") / "filler"
        filler.write_bytes(b"\0" * 900_000)
        registry.register(write(tmp_path / "large", make_artifact(item_ids=range(2_000))), alias="production")
        for _ in range(2):
            problem = following.poll("1", "download_failed", download_failed=1)
            assert "MODEL_CACHE_DIR can't be written at " in problem["message"]
            assert problem["message"].endswith("No space left on device")
            assert list(filler.parent.glob("*/.download-*")) == []
        filler.unlink()
        following.poll("2", "ok", swaps=1)
