"""Lists and descriptions of the served version and of one on trial."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.contract.artifact import Artifact
from app.settings import Settings
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.metrics import samples
from tests.processes import wait_until
from tests.registry import TestRegistry

GATE = {"decision": "challenger", "gate_reason": "does not beat version 1", "gate_metric": "ndcg@10"}


@pytest.fixture
def two(registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path) -> Iterator[Client]:
    """Version 1 in production, and 2, which likes the last films best, which nobody gets."""
    registry.register(write(tmp_path / "1", _preferring([6, 5, 4, 3, 2, 1])), alias="production")
    registry.register(write(tmp_path / "2", _preferring([1, 2, 3, 4, 5, 6])), alias="challenger")
    tags = {**GATE, "gate_candidate": "0.25", "gate_gain_over_live": "-0.01", "gate_gain_over_live_low": "-0.02"}
    for key, value in (tags | {"gate_gain_over_live_high": "much", "gate_popularity": "nan"}).items():
        registry.client.set_model_version_tag(registry.name, "2", key, value)
    with serving(make_settings(registry, trial_share=0)) as client:
        wait_until(lambda: len(client.get("/versions").json["versions"]) == 2)
        yield client


def _preferring(biases: list[int]) -> Artifact:
    return make_artifact(dim=1, seen={0: [0]}, item_biases=np.array(biases, dtype=np.float32) * 100)


@pytest.mark.long
def test_the_alias_of_the_challenger_gets_its_list_which_counts_nowhere(two: Client) -> None:
    path = "/users/1/recommendations?k=3"
    production, challenger = two.get(path).json, two.get(f"{path}&alias=CHALLENGER").json
    assert [item["id"] for item in production["items"]] == [20, 30, 40]
    assert [item["id"] for item in challenger["items"]] == [60, 50, 40]
    assert (production["model_version"], challenger["model_version"]) == ("1", "2")
    assert two.get(f"{path}&alias=production").json == production
    explained = two.get(f"{path}&alias=challenger&explain=true").json["items"]
    assert [item["because"][0]["id"] for item in explained if item["because"]] in ([], [10], [10, 10], [10, 10, 10])
    counted = samples(two.get("/metrics").body.decode())
    assert counted["recommender_lists_total{source=personalised}"] == 2


@pytest.mark.long
def test_an_alias_that_is_not_loaded_is_404_and_says_which_are(two: Client, client: Client) -> None:
    answer = two.get("/users/1/recommendations?alias=canary")
    assert (answer.status, answer.json["error"]["code"], answer.json["error"]["field"]) == (
        404,
        "alias_not_loaded",
        "alias",
    )
    assert "'canary' is loaded; loaded: production, challenger." in answer.json["error"]["message"]
    # Here the front door is open.
    assert client.get("/users/1/recommendations?alias=challenger").json["error"]["code"] == "alias_not_loaded"
    assert client.get("/users/1/recommendations?alias=Production").json["model_version"] == "7"


def test_versions_say_how_the_gate_decided_as_far_as_tags_are_readable(two: Client, registry: TestRegistry) -> None:
    # A version serves a moment before its poll is over, which says what the registry knows of it.
    wait_until(lambda: two.get("/versions").json["versions"][1]["gate"] is not None)
    production, challenger = two.get("/versions").json["versions"]
    assert (production["alias"], production["version"], production["gate"]) == ("production", "1", None)
    assert (challenger["alias"], challenger["users"], challenger["items"]) == ("challenger", 4, 6)
    assert challenger["page"] == f"{registry.uri}/#/models/{registry.name}/versions/2"
    assert challenger["gate"] == {
        "decision": "challenger",
        "reason": "does not beat version 1",
        "metric": "ndcg@10",
        "figures": [
            {"name": "candidate", "value": 0.25, "low": None, "high": None},
            {"name": "gain_over_live", "value": -0.01, "low": -0.02, "high": None},
        ],
    }


def test_a_page_s_address_holds_no_password_and_may_be_another_than_the_service_s(tmp_path: Path) -> None:
    settings = Settings(mlflow_tracking_uri="http://me:secret@127.0.0.1:9/mlflow/", model_cache_dir=tmp_path / "cache")
    put_in_cache(settings, write(tmp_path / "served"), version="3")
    with serving(settings) as client:
        (version,) = client.get("/versions").json["versions"]
        assert version["gate"] is None  # the registry does not answer
        assert version["page"] == "http://127.0.0.1:9/mlflow/#/models/movie-recommender/versions/3"
    put_in_cache(settings, write(tmp_path / "again"), version="3")
    with serving(settings.model_copy(update={"mlflow_page_uri": "https://mlflow.example"})) as client:
        page = client.get("/versions").json["versions"][0]["page"]
        assert page == "https://mlflow.example/#/models/movie-recommender/versions/3"


def test_a_folder_has_neither_alias_nor_page(tmp_path: Path) -> None:
    settings = Settings(model_dir=write(tmp_path / "served"), model_cache_dir=tmp_path / "cache")
    with serving(settings) as client:
        wait_until(lambda: client.version() is not None)
        (version,) = client.get("/versions").json["versions"]
        assert (version["alias"], version["page"], version["gate"]) == (None, None, None)
        assert client.get("/users/1/recommendations?alias=production").json["error"]["code"] == "alias_not_loaded"


def test_without_a_model_no_version_is_loaded(empty_client: Client) -> None:
    assert empty_client.get("/versions").json == {"versions": []}
