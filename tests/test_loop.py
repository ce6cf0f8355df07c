"""The loop: what a stranger says counts in the next answer of every replica, and in the next training."""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest

from app.contract.artifact_directory import load_artifact
from app.settings import Settings
from tests.client import Answer, Client
from tests.processes import wait_until
from tests.repository import Repository
from tests.service import Asking, serves, service

# Each test goes on from where the former one ends.
pytestmark = [pytest.mark.pages, pytest.mark.story, pytest.mark.timeout(600)]

MODEL = "loop"  # also the experiment; no other test names one so
STRANGER = "9001"
LIKED = [409, 447, 288]  # science fiction


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, mlflow_server: str) -> Repository:
    """A project that has trained and promoted its first version; its store of events is a file that nobody made yet."""
    repository = Repository.copy(tmp_path_factory.mktemp("loop") / "movie recommender", mlflow_server)
    repository.change(register__name=MODEL, register__experiment=MODEL)
    repository.without_git()
    assert f"{MODEL} version 1 (lightfm): production" in repository.run("dvc", "repro")
    return repository


@pytest.fixture(scope="module")
def replicas(repository: Repository, mlflow_server: str) -> Iterator[tuple[Client, Client]]:
    """Two processes of the service, with one registry and one store of events; each is asked without a pause."""
    with ExitStack() as stack:
        clients = [stack.enter_context(replica(repository, mlflow_server, name)) for name in ("one", "two")]
        for client, _ in clients:
            wait_until(serves(client, "1"))
        asking = [Asking(client) for client, _ in clients]
        for each in asking:
            each.start()
        yield clients[0][0], clients[1][0]
        answered = [status for each in asking for status, _ in each.stop()]
        assert len(answered) > 100
        assert set(answered) == {200}


def replica(
    repository: Repository, mlflow_server: str, name: str
) -> AbstractContextManager[tuple[Client, "subprocess.Popen[bytes]"]]:
    settings = Settings.model_validate(
        {
            "mlflow_tracking_uri": mlflow_server,
            "model_name": MODEL,
            "model_poll_seconds": 0.5,
            "model_cache_dir": repository.root / f"cache {name}",
            "events_url": f"sqlite:///{repository.root / 'events.db'}",  # which is what training reads, too
        }
    )
    return service(settings, repository.root / f"{name}.log")


def recommended(client: Client, after: int | None = None) -> Answer:
    headers = {} if after is None else {"X-Read-After": str(after)}
    return client.get(f"/users/{STRANGER}/recommendations?k=50", headers=headers)


def items(answer: Answer) -> list[int]:
    return [item["id"] for item in answer.json["items"]]


def test_a_stranger_gets_popular_films_from_every_replica(replicas: tuple[Client, Client]) -> None:
    for client in replicas:
        assert recommended(client).json["source"] == "popular"


def test_after_three_likes_through_one_replica_the_next_answer_of_each_is_personal(
    replicas: tuple[Client, Client],
) -> None:
    popular = items(recommended(replicas[1]))
    said = [{"user_id": STRANGER, "item_id": str(item), "type": "like"} for item in LIKED]
    taken = replicas[0].post("/events", {"events": said})
    assert (taken.status, taken.json["accepted"]) == (200, 3)
    for client in replicas:
        answer = recommended(client, after=taken.json["position"])
        assert (answer.status, answer.json["source"]) == (200, "personalised")
        assert items(answer) != popular
        assert not set(LIKED) & set(items(answer))


def test_the_next_training_learns_from_it_and_every_replica_follows(
    repository: Repository, replicas: tuple[Client, Client]
) -> None:
    output = repository.run("dvc", "repro")
    assert "events: 3 until number 3 of store" in output
    assert f"{MODEL} version 2 (lightfm): production" in output
    for client in replicas:
        wait_until(serves(client, "2"))
        answer = recommended(client)
        assert (answer.json["source"], answer.json["model_version"]) == ("personalised", "2")
        assert not set(LIKED) & set(items(answer))
    artifact = load_artifact(repository.root / "models" / "served")
    assert STRANGER in artifact.user_ids.astype(str)
    assert artifact.events is not None
    assert artifact.events.until == 3
    assert replicas[0].get("/model").json["events"]["position"] == 3


def test_without_a_new_word_nothing_is_trained_again(repository: Repository, replicas: tuple[Client, Client]) -> None:
    output = repository.run("dvc", "repro")
    assert "Running stage 'prepare'" not in output
    assert "decided before; nothing to do" in output
    assert {client.version() for client in replicas} == {"2"}
