from tests.client import Client


def test_examples_can_be_asked_for(client: Client) -> None:
    users = client.get("/users/examples").json["users"]
    assert [user["kind"] for user in users] == ["short", "medium", "long", "unknown"]
    for user in users:
        history = client.get(f"/users/{user['user_id']}/history")
        assert history.json.get("total", 0) == user["seen"]
        assert (history.status == 404) == (user["kind"] == "unknown")


def test_without_a_model_there_are_none(empty_client: Client) -> None:
    assert empty_client.get("/users/examples").json["error"]["code"] == "no_model"
