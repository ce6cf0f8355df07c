"""The loop, with three replicas: what a stranger says counts in the next answer of each, and in the next training."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compose.clients import Clients
from tests.compose.deployment import MODEL, Deployment, ask, docker
from tests.compose.page import do, ways
from tests.metrics import samples
from tests.processes import wait_until

# Each test goes on from where the former one ends.
pytestmark = [pytest.mark.compose, pytest.mark.story]
STRANGER = "9001"
LIKED = [409, 447, 288]  # science fiction
METRICS = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9102/metrics', timeout=5).read().decode())"


@pytest.fixture(autouse=True)
def nobody_fails(deployment: Deployment) -> Iterator[None]:
    """Clients who ask all the time; one failed request fails the test."""
    with Clients(deployment.port) as clients:
        yield
    assert clients.failures == []


@pytest.fixture(scope="module")
def early(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup from before anything was said."""
    return backup(deployment, tmp_path_factory.mktemp("early") / "backup")


def backup(deployment: Deployment, folder: Path) -> Path:
    done = deployment.script("backup", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def tell(replica: str, *items: int, event_type: str = "like") -> int:
    """The position of what the stranger says about films through one replica."""
    said = [{"user_id": STRANGER, "item_id": str(item), "type": event_type} for item in items]
    answer = ask(replica, "/events", {"events": said})
    assert (answer["accepted"], answer["duplicates"], answer["unknown_items"]) == (len(items), 0, [])
    position: int = answer["position"]
    return position


def tell_until_taken(replica: str, item: int, event_type: str) -> int:
    """The same, sent again after a refusal, as a client must: the connection may lead to a database that is gone."""
    positions: list[int] = []

    def is_taken() -> bool:
        with contextlib.suppress(RuntimeError):
            positions.append(tell(replica, item, event_type=event_type))
        return bool(positions)

    wait_until(is_taken, step=0.5)
    return positions[0]


def recommended(replica: str, after: int = 0) -> dict[str, Any]:
    return ask(replica, f"/users/{STRANGER}/recommendations?k=50", X_Read_After=str(after))


def items(answer: dict[str, Any]) -> list[int]:
    return [item["id"] for item in answer["items"]]


def test_after_three_likes_through_one_replica_the_next_answer_of_each_is_personal(
    deployment: Deployment, early: Path
) -> None:
    assert early.exists()
    replicas = deployment.replicas()
    popular = [recommended(replica) for replica in replicas]
    assert [answer["source"] for answer in popular] == ["popular"] * 3
    position = tell(replicas[0], *LIKED)
    for replica in replicas:
        answer = recommended(replica, after=position)
        assert answer["source"] == "personalised"
        assert items(answer) != items(popular[0])
        assert not set(LIKED) & set(items(answer))


def test_the_next_training_learns_from_it_and_every_replica_follows(deployment: Deployment) -> None:
    said = do(deployment, *ways("a new model"))
    assert "events: 3 until number 3 of store" in said
    version = re.findall(rf"{MODEL} version (\d+) \(\w+\): production", said)[0]
    deployment.wait_for(version)
    for replica in deployment.replicas():
        answer = recommended(replica)
        assert (answer["source"], answer["model_version"]) == ("personalised", version)
        assert not set(LIKED) & set(items(answer))


def test_scheduled_training_runs_and_says_how_it_went(deployment: Deployment) -> None:
    profile = ("--profile", "retrain")
    deployment.compose(*profile, "up", "--detach", "--no-deps", "retrain", RETRAIN_CRON="* * * * *")
    retrain = deployment.container("retrain")
    wait_until(lambda: _metric(retrain, "last_duration_seconds") > 0, step=2)
    assert _metric(retrain, "last_exit_code") == 0
    assert _metric(retrain, "period_seconds") == 60
    assert "decided before; nothing to do" in docker("logs", retrain)
    deployment.compose(*profile, "rm", "--stop", "--force", "retrain")


def _metric(retrain: str, name: str) -> float:
    try:
        return samples(docker("exec", retrain, "python", "-c", METRICS))[f"recommender_retrain_{name}"]
    except RuntimeError:
        return 0


def test_after_a_restore_of_older_events_new_ones_count_though_the_model_has_learned_such_positions(
    deployment: Deployment, early: Path, scratch: Path
) -> None:
    mixed = backup(deployment, scratch / "mixed")
    shutil.copy(early / "events.dump", mixed)
    [before] = deployment.sql("SELECT id FROM store")
    version = deployment.models()[0]["version"]
    done = deployment.script("restore", str(mixed))
    assert done.returncode == 0, done.stderr
    assert deployment.sql("SELECT id FROM store") != [before]
    deployment.wait_for(version)
    replicas = deployment.replicas()
    shown = items(recommended(replicas[0]))[0]
    position = tell_until_taken(replicas[0], shown, event_type="hide")
    assert position <= 3  # until where the model has learned
    for replica in replicas:
        assert shown not in items(recommended(replica, after=position))
    deployment.promote("1")
    deployment.wait_for("1")
