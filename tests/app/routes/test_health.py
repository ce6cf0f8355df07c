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
