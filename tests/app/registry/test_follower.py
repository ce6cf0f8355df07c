import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.contract.artifact_format import FORMAT_VERSION
from app.model.registered_version import RegisteredVersion
from app.model.store import ModelStore
from app.observability.telemetry import Telemetry
from app.registry.follower import Follower
from app.registry.mlflow_registry import Registry
from app.settings import Settings
from tests.artifacts import damage, make_artifact, write
from tests.client import put_in_cache
from tests.conftest import MakeSettings
from tests.processes import free_port, wait_until
from tests.registry import TestRegistry


class Following:
    """A follower that polls when a test tells it to, and whose downloads are counted."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = ModelStore()
        self.follower = Follower(settings, self.store, Telemetry().model)
        self.downloads: list[str] = []
        fetch = Registry.fetch

        def counted(registry: Registry, registered: RegisteredVersion, into: Path) -> Path:
            self.downloads.append(registered.version)
            return fetch(registry, registered, into)

        monkeypatch.setattr(Registry, "fetch", counted)

    @property
    def version(self) -> str | None:
        return None if self.store.current is None else self.store.current.version

    def poll(self) -> tuple[str | None, str]:
        """Poll once; returns the loaded version and the status."""
        self.follower.poll()
        return self.version, self.follower.state.status

    @property
    def problem(self) -> str:
        problem = self.follower.state.last_problem
        return "" if problem is None else problem.message


@pytest.fixture
def follow(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Following]:
    return lambda registry=None, **fields: Following(make_settings(registry, **fields), monkeypatch)


Follow = Callable[..., Following]


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    directory = write(tmp_path / "damaged", make_artifact(seed=1))
    damage(directory / "item_embeddings.npy")
    return directory


def test_the_aliased_version_is_loaded_and_followed(registry: TestRegistry, follow: Follow) -> None:
    following = follow(registry)
    assert following.poll() == (None, "model_missing")
    registry.register()
    assert following.poll() == (None, "alias_missing")
    registry.move("production", "1")
    assert following.poll() == ("1", "ok")
    registry.register(alias="production")
    assert following.poll() == ("2", "ok")
    assert following.follower.state.succeeded_at == following.follower.state.checked_at


def test_a_version_that_serves_is_not_downloaded_again(registry: TestRegistry, follow: Follow) -> None:
    registry.register(alias="production")
    following = follow(registry)
    for _ in range(3):
        following.poll()
    assert following.downloads == ["1"]


def test_moving_back_needs_no_download(registry: TestRegistry, follow: Follow) -> None:
    following = follow(registry)
    registry.register(alias="production")
    following.poll()
    registry.register(alias="production")
    following.poll()
    registry.move("production", "1")
    assert following.poll() == ("1", "ok")
    assert following.downloads == ["1", "2"]


def test_an_alias_spelled_with_a_capital_is_followed(registry: TestRegistry, follow: Follow) -> None:
    registry.register(alias="Production")
    assert follow(registry).poll() == ("1", "ok")
    assert follow(registry, model_alias="PRODUCTION").poll() == ("1", "ok")


def test_of_both_spellings_the_lower_case_one_is_followed_and_the_warning_logged_once(
    registry: TestRegistry, follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    registry.register(alias="production")
    registry.register(alias="Production")
    following = follow(registry)
    for _ in range(3):
        assert following.poll() == ("1", "ok")
    assert "several spellings" in (following.follower.state.warning or "")
    assert caplog.text.count("several spellings") == 1
    registry.client.delete_registered_model_alias(registry.name, "Production")
    following.poll()
    assert following.follower.state.warning is None


def test_a_damaged_version_is_refused_and_the_former_goes_on_serving(
    registry: TestRegistry, follow: Follow, damaged: Path
) -> None:
    registry.register(alias="production")
    following = follow(registry)
    following.poll()
    registry.register(damaged, alias="production")
    assert following.poll() == ("1", "artifact_refused")
    assert following.problem.startswith("item_embeddings.npy does not have the SHA-256")
    problem = following.follower.state.last_problem
    assert problem is not None
    assert problem.version == "2"


def test_a_refused_version_is_not_downloaded_again_until_the_alias_has_moved(
    registry: TestRegistry, follow: Follow, damaged: Path
) -> None:
    registry.register(alias="production")
    registry.register(damaged, alias="production")
    following = follow(registry)
    for _ in range(3):
        assert following.poll() == (None, "artifact_refused")
    assert following.downloads == ["2"]
    registry.move("production", "1")
    assert following.poll() == ("1", "ok")
    assert following.downloads == ["2", "1"]


def test_a_refusal_is_logged_once(
    registry: TestRegistry, follow: Follow, damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry.register(damaged, alias="production")
    following = follow(registry)
    for _ in range(3):
        following.poll()
    assert caplog.text.count("item_embeddings.npy does not have the SHA-256") == 1


def test_an_artifact_of_a_newer_format_is_refused(registry: TestRegistry, follow: Follow, tmp_path: Path) -> None:
    directory = write(tmp_path / "newer")
    manifest = json.loads((directory / "manifest.json").read_text())
    (directory / "manifest.json").write_text(json.dumps({**manifest, "format_version": FORMAT_VERSION + 1}))
    registry.register(directory, alias="production")
    following = follow(registry)
    assert following.poll() == (None, "artifact_refused")
    assert f"manifest.json is of format {FORMAT_VERSION + 1}, newer than {FORMAT_VERSION}: upgrade" in following.problem


def test_a_version_without_an_artifact_is_tried_again(registry: TestRegistry, follow: Follow, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    registry.register(tmp_path / "empty", alias="production")
    following = follow(registry)
    for _ in range(2):
        assert following.poll() == (None, "artifact_missing")
    assert following.downloads == ["1", "1"]


def test_whatever_is_removed_from_the_registry_the_service_goes_on(registry: TestRegistry, follow: Follow) -> None:
    registry.register(alias="production")
    following = follow(registry)
    following.poll()
    registry.client.delete_registered_model_alias(registry.name, "production")
    assert following.poll() == ("1", "alias_missing")
    registry.move("production", "1")
    assert following.poll() == ("1", "ok")
    registry.client.delete_model_version(registry.name, "1")
    # MLflow 2 leaves the alias behind, pointing nowhere; MLflow 3 removes it with the version.
    assert following.poll() in {("1", "version_missing"), ("1", "alias_missing")}
    registry.client.delete_registered_model(registry.name)
    assert following.poll() == ("1", "model_missing")


def test_a_wiped_registry_that_gives_the_same_number_again_is_noticed(
    registry: TestRegistry, follow: Follow, tmp_path: Path
) -> None:
    registry.register(alias="production")
    following = follow(registry)
    following.poll()
    registry.client.delete_registered_model(registry.name)
    registry.client.create_registered_model(registry.name)
    registry.register(write(tmp_path / "other", make_artifact(seed=9)), alias="production")
    assert following.poll() == ("1", "ok")
    assert following.downloads == ["1", "1"]
    current = following.store.require()
    assert current.artifact.item_biases.tolist() == make_artifact(seed=9).item_biases.tolist()


def test_the_last_good_version_serves_while_the_registry_is_down(registry: TestRegistry, follow: Follow) -> None:
    registry.register(alias="production")
    follow(registry).poll()
    address = f"http://127.0.0.1:{free_port()}"
    following = follow(registry, mlflow_tracking_uri=address)
    following.follower.load_last_good()
    assert following.version == "1"
    assert following.poll() == ("1", "registry_unavailable")
    assert following.downloads == []


def test_a_restart_with_the_registry_up_downloads_nothing(registry: TestRegistry, follow: Follow) -> None:
    registry.register(alias="production")
    follow(registry).poll()
    following = follow(registry)
    following.follower.load_last_good()
    assert following.poll() == ("1", "ok")
    assert following.downloads == []


def test_a_damaged_last_good_version_gives_way_to_the_one_before(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = make_settings()
    put_in_cache(settings, write(tmp_path / "one"), "1")
    put_in_cache(settings, write(tmp_path / "two"), "2")
    for directory in settings.model_cache_dir.glob("*/2-*"):
        damage(directory / "item_biases.npy")
    following = Following(settings, monkeypatch)
    following.follower.load_last_good()
    assert following.version == "1"


def test_a_version_damaged_in_the_cache_is_downloaded_again(registry: TestRegistry, follow: Follow) -> None:
    registry.register(alias="production")
    follow(registry).poll()
    following = follow(registry)
    for directory in Path(registry.scratch).glob("cache*/*/1-*"):
        damage(directory / "item_biases.npy")
    assert following.poll() == ("1", "ok")
    assert following.downloads == ["1"]


def test_a_registry_that_is_down_is_logged_once_and_its_return_too(
    registry: TestRegistry, follow: Follow, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "app")
    registry.register(alias="production")
    following = follow(registry)
    source = following.follower._source
    assert isinstance(source, Registry)
    api = source._api
    monkeypatch.setattr(api, "_address", f"http://127.0.0.1:{free_port()}")
    for _ in range(3):
        assert following.poll() == (None, "registry_unavailable")
    assert caplog.text.count("Connection refused") == 1
    monkeypatch.setattr(api, "_address", registry.uri)
    assert following.poll() == ("1", "ok")
    assert caplog.text.count("Following the registry works again") == 1


def test_the_last_problem_is_the_latest_cause_and_when_that_was_first_met(
    registry: TestRegistry, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = follow(registry)
    source = following.follower._source
    assert isinstance(source, Registry)
    problems = []
    for address in (f"http://127.0.0.1:{free_port()}", f"{registry.uri}/elsewhere", f"{registry.uri}/elsewhere"):
        monkeypatch.setattr(source._api, "_address", address)
        assert following.poll() == (None, "registry_unavailable")
        problems.append(following.follower.state.last_problem)
    first, second, third = problems
    assert first is not None
    assert second is not None
    assert "Connection refused" in first.message
    assert "404" in second.message
    assert first.at < second.at
    assert third == second


def test_a_bug_does_not_end_the_following(
    registry: TestRegistry, follow: Follow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    registry.register(alias="production")
    following = follow(registry)
    with monkeypatch.context() as broken:
        broken.setattr(Registry, "resolve", lambda self: 1 / 0)
        for _ in range(2):
            assert following.poll() == (None, "unexpected")
    assert following.problem.endswith("failed with ZeroDivisionError.")
    assert "division by zero" in caplog.text
    assert caplog.text.count("Traceback") == 1
    assert following.poll() == ("1", "ok")


def test_a_cache_that_can_not_be_written_is_explained(registry: TestRegistry, follow: Follow, tmp_path: Path) -> None:
    registry.register(alias="production")
    (tmp_path / "file").touch()
    following = follow(registry, model_cache_dir=tmp_path / "file")
    assert following.poll() == (None, "download_failed")
    assert following.problem.startswith("MODEL_CACHE_DIR can't be written at ")


def test_without_a_model_the_service_polls_every_second(
    registry: TestRegistry, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.registry.follower.MAX_POLL_SECONDS_WITHOUT_MODEL", 0.05)
    following = Following(make_settings(registry, model_poll_seconds=3600), monkeypatch)
    following.follower.start()
    try:
        wait_until(lambda: following.follower.state.status == "model_missing")
        registry.register(alias="production")
        wait_until(lambda: following.version == "1")
    finally:
        following.follower.stop()
