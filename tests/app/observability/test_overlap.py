import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.main import create_app
from app.observability import overlap
from app.settings import Settings
from tests.artifacts import damage, make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.metrics import Samples, samples
from tests.processes import wait_until
from tests.registry import TestRegistry

PATH = "/users/1/recommendations?k=2"
USERS = np.array([[1], [1], [0]], dtype=np.float32)


def ranked(directory: Path, item_ids: list[int], scores: list[float]) -> Path:
    """An artifact that ranks films for users 1 and 2 by these scores."""
    embeddings, biases = np.array(scores, dtype=np.float32)[:, None], np.zeros(4, dtype=np.float32)
    artifact = make_artifact(
        (1, 2, 3), item_ids, dim=1, user_embeddings=USERS, item_embeddings=embeddings, item_biases=biases
    )
    return write(directory, artifact)


@pytest.fixture(autouse=True)
def _every_list_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "COMPARED_SHARE", 1)


def metrics(client: Client) -> Samples:
    found = samples(client.get("/metrics").body.decode())
    prefix = "recommender_"
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def counts(client: Client, outcome: str, n: int) -> Callable[[], bool]:
    return lambda: metrics(client)[f"compared_lists_total{{outcome={outcome}}}"] == n


@pytest.fixture
def settings(make_settings: MakeSettings, tmp_path: Path) -> Settings:
    """Live: 40, 30, 20, 10 in that order. A challenger whose rows are other films: 40, 20, 50, 30."""
    settings: Settings = make_settings(trial_share=0, model_poll_seconds=3600)
    put_in_cache(settings, ranked(tmp_path / "live", [10, 20, 30, 40], [1, 2, 3, 4]), "1")
    followed = settings.model_copy(update={"model_alias": "challenger"})
    put_in_cache(followed, ranked(tmp_path / "challenger", [20, 30, 40, 50], [3, 1, 4, 2]), "2")
    return settings


def has_challenger(client: Client) -> Callable[[], bool]:
    return lambda: metrics(client)["challenger_model_swaps_total"] == 1


def test_the_overlap_is_counted_by_id_and_the_answer_is_the_live_model_s(settings: Settings) -> None:
    with serving(settings) as client:
        wait_until(has_challenger(client))
        answer = client.get(PATH).json
        assert (answer["model_version"], [item["id"] for item in answer["items"]]) == ("1", [40, 30])
        wait_until(counts(client, "compared", 1))
        # Of 40 and 30 the challenger lists 40, next to 20.
        assert metrics(client)["challenger_overlap_sum"] == 0.5
        assert client.get("/users/1/recommendations?k=4").json["items"][0]["id"] == 40
        wait_until(counts(client, "compared", 2))
        assert metrics(client)["challenger_overlap_sum"] == 0.5 + 3 / 4
        assert client.get("/users/1/recommendations?k=1").json["items"][0]["id"] == 40
        wait_until(counts(client, "compared", 3))
        assert metrics(client)["challenger_overlap_sum"] == 0.5 + 3 / 4 + 1
        assert client.get("/model").json["version"] == "1"


def test_an_unknown_user_is_compared_by_popular_films(settings: Settings) -> None:
    with serving(settings) as client:
        wait_until(has_challenger(client))
        client.get("/users/nobody/recommendations?k=4")
        wait_until(counts(client, "compared", 1))
        assert metrics(client)["challenger_overlap_sum"] == 3 / 4


def test_requests_that_are_not_plain_are_not_compared(settings: Settings) -> None:
    with serving(settings) as client:
        wait_until(has_challenger(client))
        for query in ("genre=Drama", "include_seen=true", "offset=1"):
            assert client.get(f"/users/1/recommendations?{query}").status == 200
        client.get(PATH)
        wait_until(counts(client, "compared", 1))


def test_the_set_share_is_compared(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "COMPARED_SHARE", 0.3)
    monkeypatch.setattr("app.observability.overlap.random.random", iter([0.1, 0.5, 0.29, 0.9]).__next__)
    with serving(settings) as client:
        wait_until(has_challenger(client))
        for _ in range(4):
            client.get(PATH)
        wait_until(counts(client, "compared", 2))


def test_without_the_setting_nothing_is_compared(client: Client) -> None:
    assert not [name for name in metrics(client) if "overlap" in name or "compared" in name]


def test_a_challenger_that_does_not_exist_is_no_harm(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(trial_share=0, model_poll_seconds=3600)
    put_in_cache(settings, write(tmp_path / "served"))
    with serving(settings) as client:
        assert client.get(PATH).status == 200
        assert counts(client, "no_model", 1)()
        wait_until(lambda: metrics(client)["challenger_model_polls_total{status=registry_unavailable}"] == 1)


def test_a_comparison_that_fails_is_no_harm(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(settings) as client:
        wait_until(has_challenger(client))
        with monkeypatch.context() as broken:
            broken.setattr(overlap, "_overlap", lambda *_: 1 / 0)
            assert client.get(PATH).status == 200
            wait_until(counts(client, "failed", 1))
        client.get(PATH)
        wait_until(counts(client, "compared", 1))
    assert caplog.text.count("A list could not be compared with the challenger's") == 1


@pytest.mark.long
def test_a_comparison_that_is_slow_drops_lists_and_delays_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:

    free = threading.Event()
    monkeypatch.setattr(overlap, "_overlap", lambda *_: free.wait(10) and 0.0)
    with serving(settings) as client:
        wait_until(has_challenger(client))
        asked = overlap.QUEUED + 10
        for _ in range(asked):
            assert client.get(PATH).status == 200
        dropped = metrics(client)["compared_lists_total{outcome=dropped}"]
        assert dropped >= 9  # the thread holds one
        free.set()
        wait_until(counts(client, "compared", asked - int(dropped)))


@pytest.mark.long
def test_the_challenger_is_followed_whatever_its_tags_say(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "app")
    registry.register(alias="production")
    registry.register(alias="challenger")
    with serving(make_settings(registry, trial_share=0)) as client:
        wait_until(lambda: client.version() == "1")
        wait_until(has_challenger(client))
        assert "Trying version 2 from the registry" in caplog.text
        damage(write(tmp_path / "damaged", make_artifact(seed=5)) / "item_biases.npy")
        registry.register(tmp_path / "damaged", alias="challenger")
        wait_until(lambda: metrics(client)["challenger_model_swap_failures_total{code=artifact_refused}"] == 1)
        wait_until(lambda: "Still trying version 2: item_biases.npy" in caplog.text)
        description = client.get("/model").json
        assert (description["version"], description["registry"]["status"]) == ("1", "ok")
        assert description["last_problem"] is None
        client.get(PATH)
        wait_until(counts(client, "compared", 1))


def test_both_ways_to_answer_offer_their_lists(settings: Settings) -> None:
    assert create_app(settings).front_door is not None
    for more in ({}, {"cors_origins": "*"}):  # with CORS there is no front door
        with serving(settings.model_copy(update=more)) as client:
            wait_until(has_challenger(client))
            client.get(PATH)
            wait_until(counts(client, "compared", 1))


@pytest.mark.long
def test_a_version_that_loses_its_alias_is_let_go(registry: TestRegistry, make_settings: MakeSettings) -> None:
    registry.register(alias="production")
    registry.register(alias="challenger")
    with serving(make_settings(registry, trial_share=0)) as client:
        wait_until(lambda: len(client.get("/versions").json["versions"]) == 2)
        registry.client.delete_registered_model_alias(registry.name, "challenger")
        wait_until(lambda: len(client.get("/versions").json["versions"]) == 1)
