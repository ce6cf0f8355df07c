"""A service that follows for months must not grow."""

from pathlib import Path

import psutil
import pytest

from tests.artifacts import damage, make_artifact, write
from tests.client import Client
from tests.conftest import MakeSettings
from tests.processes import wait_until
from tests.registry import TestRegistry
from tests.service import serves, service

SWAPS = 50
TOLERANCE = 25 << 20  # what a heap may be scattered; a model that stays would be 50 times its own 20 MB


def uss(process: psutil.Process) -> int:
    size: int = process.memory_full_info().uss
    return size


def mapped_versions(process: psutil.Process, cache: Path) -> set[Path]:
    """The versions whose files are mapped into memory."""
    return {Path(each.path).parent for each in process.memory_maps() if str(cache) in each.path}


def move(registry: TestRegistry, client: Client, version: str) -> None:
    registry.move("production", version)
    answer = client.get("/model/reload", "POST", {"Authorization": "Bearer token"}).json
    assert (answer["version"], answer["registry"]["status"]) == (version, "ok")
    for user in range(5):
        assert client.get(f"/users/{user}/recommendations?k=100&genre=Drama").status == 200


@pytest.mark.long
def test_memory_after_50_swaps_is_as_after_one(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(
        registry, admin_token="token", model_poll_seconds=3600, model_cache_dir=tmp_path / "cache", log_level="WARNING"
    )
    for version in ("1", "2"):
        artifact = make_artifact(range(40_000), range(4_000), dim=64, seed=int(version))
        registry.register(write(tmp_path / version, artifact), alias="production")
    with service(settings, tmp_path / "log") as (client, running):
        process = psutil.Process(running.pid)
        wait_until(serves(client, "2"))
        for version in ("1", "2"):  # both are in the cache now, and what is made once is made
            move(registry, client, version)
        before = uss(process)
        for swap in range(SWAPS):
            move(registry, client, str(swap % 2 + 1))
        after = uss(process)
        mapped = mapped_versions(process, tmp_path / "cache")
    print(f"{before >> 20} MiB after the first swaps, {after >> 20} MiB after {SWAPS} more")  # noqa: T201
    assert after - before < TOLERANCE
    assert [path.name.partition("-")[0] for path in mapped] == ["2"]


@pytest.mark.long
def test_a_refused_version_keeps_no_former_model_in_memory(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(
        registry, admin_token="token", model_poll_seconds=3600, model_cache_dir=tmp_path / "cache", log_level="WARNING"
    )
    for version in ("1", "2", "3"):
        folder = write(tmp_path / version)
        if version == "3":
            damage(folder / "item_biases.npy")
        registry.register(folder, alias="production" if version == "1" else None)
    with service(settings, tmp_path / "log") as (client, running):
        wait_until(serves(client, "1"))
        registry.move("production", "3")
        for _ in range(2):  # the first poll downloads and refuses it, the second knows it
            answer = client.get("/model/reload", "POST", {"Authorization": "Bearer token"}).json
            assert (answer["version"], answer["registry"]["status"]) == ("1", "artifact_refused")
        move(registry, client, "2")
        mapped = mapped_versions(psutil.Process(running.pid), tmp_path / "cache")
    assert [path.name.partition("-")[0] for path in mapped] == ["2"]
