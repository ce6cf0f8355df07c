"""What no answer could repeat is refused with a sentence that names it, and every route goes on answering."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.registry.cache import ModelCache
from app.settings import Settings
from tests.app.contract.hostile import rewrite_manifest
from tests.artifacts import write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.every_route import assert_every_route_answers
from tests.marks import long
from tests.processes import wait_until
from tests.strange_registry import names_a_version, strange_registry

OUTSIDE = "../../../escaped"
STORE = "00000000-0000-4000-8000-000000000000"
YEAR_287396 = 2**53


@pytest.fixture
def settings(make_settings: MakeSettings, tmp_path: Path) -> Settings:
    """Version 1 in the cache, the registry yet to be named."""
    settings = make_settings(log_level="WARNING", model_cache_dir=tmp_path / "a" / "b" / "cache")
    put_in_cache(settings, write(tmp_path / "served"))
    return settings


def told(client: Client, status: str) -> str:
    """What /model says of the problem, once it has that status; meanwhile all is answered from version 1."""
    wait_until(lambda: client.get("/model").json["registry"]["status"] == status)
    assert_every_route_answers(client)
    assert client.get("/users/1/recommendations").json["model_version"] == "1"
    return str(client.get("/model").json["last_problem"]["message"])


@pytest.mark.parametrize(
    ("alias", "version", "named"),
    [
        ({}, {"version": OUTSIDE}, f"model_version.version is '{OUTSIDE}': "),
        pytest.param(
            {"version": OUTSIDE}, {}, f"registered_model.aliases.0.version is '{OUTSIDE}': ", marks=pytest.mark.long
        ),
        *(
            pytest.param({}, version, named, marks=pytest.mark.long)
            for version, named in (
                ({"version": "1" * 29}, f"model_version.version is '{'1' * 29}': "),
                ({"creation_timestamp": -(10**400)}, "model_version.creation_timestamp is -1000"),
                ({"version": None}, "model_version.version is None: "),
                ({"creation_timestamp": YEAR_287396}, f"model_version.creation_timestamp is {YEAR_287396}: "),
                ({"tags": [{"key": "decision", "value": 5}]}, "model_version.tags.0.value is 5: "),
                ({"tags": [{"key": "decision", "value": "\ud800"}]}, "Invalid JSON: unexpected end of hex escape"),
            )
        ),
        ({}, {"run_id": "\ud800"}, "Invalid JSON: unexpected end of hex escape"),
    ],
)
def test_of_a_registry(
    settings: Settings, tmp_path: Path, alias: dict[str, Any], version: dict[str, Any], named: str
) -> None:
    before = {path.name for path in tmp_path.rglob("*escaped*")}
    with strange_registry(names_a_version(alias, version)) as registry:
        followed = settings.model_copy(update={"mlflow_tracking_uri": registry.uri})
        with serving(followed) as client:
            message = told(client, "registry_unavailable")
    assert message.startswith(f"MLflow at {registry.uri} gave an answer that MLflow never gives: ")
    assert named in message
    assert len(message) < 400
    assert {path.name for path in tmp_path.rglob("*escaped*")} == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"family": "\ud800"}, r"manifest.json holds text that UTF-8 can't express: .*family.*\\ud800'"),
        *(
            pytest.param(changes, named, marks=pytest.mark.long)
            for changes, named in (
                ({"data_hash": "\udfff"}, r"manifest.json holds text that UTF-8 can't express: .*data_hash.*\\udfff'"),
                ({"family": "x" * 1_000}, "manifest.json has a family of more than 200 characters: 'xxx"),
                (
                    {"events": {"store": STORE, "until": 10**400}},
                    "manifest.json has events until 1000+; expected a whole",
                ),
            )
        ),
        ({"events": {"store": STORE, "until": 2**63}}, "manifest.json has events until 9223372036854775808; expected"),
    ],
)
def test_of_an_artifact(make_settings: MakeSettings, tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    folder = write(tmp_path / "served")
    events = f"sqlite:///{tmp_path}/events.db"
    with serving(make_settings(model_dir=folder, events_url=events, log_level="WARNING")) as client:
        wait_until(lambda: client.version() is not None)
        version = client.version()
        rewrite_manifest(folder, **changes)
        wait_until(lambda: client.get("/model").json["registry"]["status"] == "artifact_refused")
        message = client.get("/model").json["last_problem"]["message"]
        assert_every_route_answers(client)
        assert client.version() == version
    assert re.match(named, message), message
    assert len(message) < 400


def test_of_the_cache(settings: Settings, tmp_path: Path) -> None:
    [index] = (tmp_path / "a" / "b" / "cache").glob("*/production.json")
    listed = json.loads(index.read_text())
    for release in ({"version": OUTSIDE}, {"created": YEAR_287396}, {"run_id": None}):
        entries = [{**entry, "release": {**entry["release"], **release}} for entry in listed["entries"]]
        index.write_text(json.dumps({"entries": entries}))
        assert ModelCache(settings).entries() == []


@pytest.fixture(params=[2**32 + 5, *long([-86_400, 2**33 + 1])])
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A machine's clock in the year 2106, in 1969, in 2242."""
    began = time.monotonic()
    monkeypatch.setattr(time, "time", lambda: request.param + time.monotonic() - began)
    yield request.param
    monkeypatch.undo()


def test_of_the_clock(events_settings: Settings, clock: int) -> None:
    with serving(events_settings) as client:
        wait_until(lambda: client.version() == "1")
        assert_every_route_answers(client)
        assert client.get("/users/1/recommendations").json["recommendation_id"]
        assert client.get("/users/1/recommendations?k=3&explain=true").json["recommendation_id"]
