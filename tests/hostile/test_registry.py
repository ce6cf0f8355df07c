"""A registry that says what MLflow never does, and repeats the secrets that it was sent."""

import random
from pathlib import Path

import pytest

from tests.app.test_secrets import forms, told_and_shown
from tests.artifacts import write
from tests.client import put_in_cache
from tests.conftest import MakeSettings
from tests.every_route import assert_every_route_answers
from tests.hostile.conftest import SEED, Table, Tally
from tests.service import service
from tests.strange_registry import names_a_version, ok, strange_registry

pytestmark = pytest.mark.hostile

SERVICES = 6
ODD: list[object] = [
    None, True, 5, -1, 2**53, 10**400, 1e308, "", " ", "01", "-1", "2\n", "1" * 29, "../../../escaped", "/etc/passwd",
    "\ud800", "\x00", "<b>", "x" * 10_000, [], {}, [{"key": "decision"}], [{"key": 1, "value": "\udfff"}],
]  # fmt: skip


def test_what_it_says_of_versions(make_settings: MakeSettings, table: Table, tmp_path: Path) -> None:
    random_, tally = random.Random(SEED), Tally()
    with strange_registry(lambda *_: ok({})) as registry:
        settings = make_settings(
            mlflow_tracking_uri=registry.uri, admin_token="operator", model_poll_seconds=3600, log_level="WARNING"
        )
        put_in_cache(settings, write(tmp_path / "served"))
        with service(settings, tmp_path / "log") as (client, _):
            for number in range(400):
                said: dict[str, dict[str, object]] = {"alias": {}, "version": {}}
                for _ in range(random_.randint(1, 2)):
                    kind, name = random_.choice(
                        [("alias", "alias"), ("alias", "version"),
                         *(("version", name) for name in ("version", "creation_timestamp", "run_id", "tags"))]
                    )  # fmt: skip
                    said[kind][name] = random_.choice(ODD)
                registry.reply = names_a_version(said["alias"], said["version"])
                answer = client.get("/model/reload", "POST", {"Authorization": "Bearer operator"})
                tally.count(answer.status == 200 and answer.json["version"] == "1", (said, answer))
                if number % 20 == 0:
                    assert_every_route_answers(client)
    tally.count("Traceback" not in (tmp_path / "log").read_text(), "a traceback")
    tally.count(not list(tmp_path.rglob("*escaped*")), "a file outside the cache")
    table.add("a registry that says odd things of a version: what serves goes on, and every GET route answers", tally)


def test_secrets_that_it_repeats(make_settings: MakeSettings, table: Table, tmp_path: Path) -> None:
    tally = Tally()
    for seed in range(SERVICES):
        (tmp_path / str(seed)).mkdir()
        secrets, shown = told_and_shown(make_settings, tmp_path / str(seed), seed)
        hidden = [form.encode() for secret in secrets for form in forms(secret)]
        for line in (line for text in shown for line in text.splitlines()):
            tally.count(not any(form in line for form in hidden), line)
    table.add(
        f"random secrets in every setting of {SERVICES} services, whose registry and store of events repeat them: "
        "lines of answers, log, metrics and traces",
        tally,
    )
