"""A trial in the deployment: viewers like the lists of one version better, and that one stays."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.compose.conftest import Break
from tests.compose.deployment import MODEL, Deployment, ask
from tests.processes import wait_until

pytestmark = pytest.mark.compose

VIEWERS, LISTS = 600, 3
PREFERRED, OTHER = 60, 25  # of 100 viewers, those who like a film of the one version and of the other
FLUSHED_SECONDS = 12
# Registers the files of the live version again, and puts the new version on trial as if it had been for 15 days.
BEGIN = f"""
import time
from pathlib import Path
import mlflow
from training.tracking import aliases, on_trial
from training.tracking.connection import connect
client, name = connect(Path.cwd(), {MODEL!r}), {MODEL!r}
live = client.get_model_version(name, aliases.version_of(client, name, "production"))
version = str(mlflow.register_model(live.source, name).version)
on_trial.begin(client, name, version, 0.5)
client.set_model_version_tag(name, version, "trial_since", str(time.time() - 15 * 86400))
print(version)
"""


def train(deployment: Deployment, *command: str) -> str:
    """What a command in the image of training prints."""
    return deployment.compose("run", "--rm", "-T", "--no-deps", "train", *command)


def begin(deployment: Deployment) -> tuple[str, str]:
    """The live version, and the one that is on trial once every replica has loaded it."""
    live = str(deployment.gateway.version())
    version = train(deployment, "python", "-c", BEGIN).splitlines()[-1]
    wait_until(lambda: all(tries(replica, version) for replica in deployment.replicas()), step=0.5)
    return live, version


def tries(replica: str, version: str) -> bool:
    versions = ask(replica, "/versions")["versions"]
    return any((each["alias"], each["version"]) == ("challenger", version) for each in versions)


def view(deployment: Deployment, preferred: str) -> set[str]:
    """Have viewers look at lists and like films, more of them with the preferred version; whose lists they got."""
    with ThreadPoolExecutor(4) as pool:
        viewed = list(pool.map(lambda number: look(deployment, number), range(VIEWERS)))
    likes = [
        {"user_id": user, "item_id": film, "type": "like", "recommendation_id": name}
        for number, (user, version, film, name) in enumerate(viewed)
        if number % 100 < (PREFERRED if version == preferred else OTHER)
    ]
    for start in range(0, len(likes), 100):
        answer = deployment.gateway.post("/events", {"events": likes[start : start + 100]})
        assert answer.status == 200, answer.body
    time.sleep(FLUSHED_SECONDS)
    return {version for _, version, _, _ in viewed}


def look(deployment: Deployment, number: int) -> tuple[str, str, int, str]:
    """A viewer's lists: who, the version, a film of the last list and the list's id. Each gets one version only."""
    connection = http.client.HTTPConnection("127.0.0.1", deployment.port, timeout=30)
    user, versions = str(number + 1), set()  # somebody whom the live version knows
    for _ in range(LISTS):
        time.sleep(0.05)  # with the clients who ask all the time, below the gateway's limit
        connection.request("GET", f"/users/{user}/recommendations?k=10")
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        answer = json.loads(body)
        versions.add(answer["model_version"])
    connection.close()
    assert len(versions) == 1
    return user, versions.pop(), answer["items"][0]["id"], answer["recommendation_id"]


def test_a_challenger_that_viewers_prefer_is_promoted_without_a_failed_request(
    deployment: Deployment, breaking: Break
) -> None:
    with breaking("a trial, and the promotion of the challenger that viewers prefer") as happening:
        live, version = begin(deployment)
        assert view(deployment, preferred=version) == {live, version}
        said = train(deployment, "python", "-m", "training", "trial", "--decide")
        assert f"people like version {version} better" in said, said
        deployment.wait_for(version)
        happening.healed()
    assert not happening.clients.failures
    status, answer = deployment.mlflow("admin", f"model-versions/get?name={MODEL}&version={version}")
    assert status == 200
    assert {"key": "trial", "value": "won"} in answer["model_version"]["tags"]


def test_a_challenger_whose_lists_viewers_like_less_is_dropped(deployment: Deployment, breaking: Break) -> None:
    with breaking("a trial, and the end of the challenger that viewers like less") as happening:
        live, version = begin(deployment)
        assert view(deployment, preferred=live) == {live, version}
        said = train(deployment, "python", "-m", "training", "trial", "--decide")
        assert f"version {version} is dropped; version {live} stays production" in said, said
        wait_until(lambda: not any(tries(replica, version) for replica in deployment.replicas()), step=0.5)
        deployment.wait_for(live)
        happening.healed()
    assert not happening.clients.failures
