import pytest

from tests.client import Client


def test_a_service_without_a_model_is_live(empty_client: Client) -> None:
    answer = empty_client.get("/health/live")
    assert (answer.status, answer.json) == (200, {"status": "live"})


def test_a_service_without_a_model_is_not_ready(empty_client: Client) -> None:
    answer = empty_client.get("/health/ready", headers={"X-Request-ID": "probe-1"})
    assert answer.status == 503
    assert answer.json == {
        "error": {
            "code": "no_model",
            "message": "No model has been loaded yet; /model says what is missing.",
            "request_id": "probe-1",
        }
    }


def test_a_service_with_a_model_is_ready(client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status, answer.json) == (200, {"status": "ready", "model_version": "7"})


@pytest.mark.parametrize(("route", "without_model"), [("/health/live", 200), ("/health/ready", 503)])
def test_a_load_balancer_may_ask_with_head(
    client: Client, empty_client: Client, route: str, without_model: int
) -> None:
    answers = client.get(route, "HEAD"), empty_client.get(route, "HEAD")
    assert [(answer.status, answer.body) for answer in answers] == [(200, b""), (without_model, b"")]
