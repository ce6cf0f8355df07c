from datetime import datetime

from tests.client import Client
from tests.metrics import samples
from tests.processes import wait_until


def test_the_model_that_serves_is_described(client: Client) -> None:
    answer = client.get("/model").json
    assert (answer["name"], answer["alias"], answer["version"]) == ("movie-recommender", "production", "7")
    assert (answer["family"], answer["users"], answer["items"], answer["dim"]) == ("test", 4, 6, 2)
    assert len(answer["content_hash"]) == 64
    assert datetime.fromisoformat(answer["loaded_at"].replace("Z", "+00:00")).tzinfo is not None


def test_without_a_model_everything_about_it_is_null(empty_client: Client) -> None:
    answer = empty_client.get("/model")
    assert answer.status == 200
    unknown = ("version", "family", "content_hash", "users", "items", "dim", "loaded_at")
    assert [answer.json[key] for key in unknown] == [None] * len(unknown)


def test_a_registry_that_is_down_is_named(empty_client: Client) -> None:
    wait_until(lambda: empty_client.get("/model").json["registry"]["status"] == "registry_unavailable")
    answer = empty_client.get("/model").json
    assert answer["registry"]["succeeded_at"] is None
    assert answer["last_problem"]["version"] is None
    assert answer["last_problem"]["message"].startswith("MLflow at http://127.0.0.1:")
    assert "Connection refused" in answer["last_problem"]["message"]


def test_the_age_of_the_last_poll_is_told(empty_client: Client) -> None:
    wait_until(lambda: empty_client.get("/model").json["registry"]["checked_at"] is not None)
    assert 0 <= empty_client.get("/model").json["registry"]["age_seconds"] < 20
    age = samples(empty_client.get("/metrics").body.decode())["recommender_model_poll_age_seconds"]
    assert 0 <= age < 20
