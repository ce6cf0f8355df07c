import json
import re
from pathlib import Path
from time import perf_counter

import pytest

from app.http.middleware import ANSWER_HEADERS
from tests.app.conftest import offline_settings
from tests.artifacts import write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.metrics import samples
from tests.service import service

MADE = re.compile(r"[0-9a-f]{32}")
ROUTES = ["/users/1/recommendations", "/users/1/recommendations?k=0", "/model", "/health/live", "/metrics", "/nothing"]


@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_has_an_id_of_its_own(client: Client, route: str) -> None:
    ids = {client.get(route).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(MADE.fullmatch(request_id) for request_id in ids)


@pytest.mark.parametrize("sent", ["a", "0f8fad5b-d9cb-469f-a165-70867728950e", "Root=1-67891233-abc/7+x", "x" * 128])
def test_the_client_s_own_id_comes_back(client: Client, sent: str) -> None:
    assert client.get("/model", headers={"X-Request-ID": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", " ", "a b", "é", "x" * 129, "a\tb", '"', "a,b", "%0a"])
def test_an_id_that_could_break_a_log_line_is_replaced(client: Client, sent: str) -> None:
    assert MADE.fullmatch(client.get("/model", headers={"X-Request-ID": sent}).headers["x-request-id"])


def test_an_error_s_body_holds_the_id(client: Client) -> None:
    answer = client.get("/users/1/recommendations?k=0", headers={"X-Request-ID": "mine"})
    assert answer.json["error"]["request_id"] == answer.headers["x-request-id"] == "mine"


@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_has_the_security_headers(client: Client, route: str) -> None:
    headers = client.get(route).headers
    assert {name.decode(): headers[name.decode()] for name, _ in ANSWER_HEADERS} == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    }


def test_a_bug_is_answered_with_id_and_headers_and_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("app.model.store.ModelStore.require", fail)
    with serving(offline_settings(tmp_path)) as client:
        answer = client.get("/health/ready", headers={"X-Request-ID": "mine"})
    assert (answer.status, answer.json["error"]["request_id"]) == (500, "mine")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert caplog.text.count("RuntimeError: secret") == 1
    assert "Request mine failed" in caplog.text


@pytest.mark.long
def test_a_line_in_the_log_says_what_was_asked_and_how_it_was_answered(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(model_name="films")
    put_in_cache(settings, write(tmp_path / "served"), "7")
    with service(settings, tmp_path / "log") as (client, _):
        client.get("/users/a%2Fb%0A/recommendations?k=3", headers={"X-Request-ID": "mine"})
        client.get(f"/users/{'x' * 10_000}/recommendations")
    # The end comes before it is time to write, and loses nothing.
    line, long_line = (line for line in (tmp_path / "log").read_text().splitlines() if "/recommendations" in line)
    # The query is left out: it may say what somebody likes.
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO app\.requests: GET /users/a%2Fb%0A/recommendations 200 \d+\.\d ms, "
        r"route /users/\{user_id\}/recommendations, model 7, id mine",
        line,
    )
    assert len(long_line) < 800


@pytest.mark.long
def test_in_json_each_line_is_an_object(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(log_format="json", model_name="films")
    put_in_cache(settings, write(tmp_path / "served"), "5")
    with service(settings, tmp_path / "log") as (client, _):
        client.get("/users/%22%C3%A9/recommendations?k=3", headers={"X-Request-ID": "mine"})
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    asked = next(line for line in lines if line.get("request_id") == "mine")
    assert asked.pop("ms") > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", asked.pop("time"))
    assert asked == {
        "level": "INFO",
        "logger": "app.requests",
        "message": "request",
        "method": "GET",
        "route": "/users/{user_id}/recommendations",
        "path": "/users/%22%C3%A9/recommendations",
        "status": 200,
        "request_id": "mine",
        "model_version": "5",
    }
    messages = [line["message"] for line in lines]
    assert "Serving version 5 from the cache" in messages
    assert "Application startup complete." in messages  # the server's own


@pytest.mark.long
def test_the_server_s_own_access_log_is_off(make_settings: MakeSettings, tmp_path: Path) -> None:
    with service(make_settings(), tmp_path / "log") as (client, _):
        client.get("/unheard-of")
    assert (tmp_path / "log").read_text().count("/unheard-of") == 1


@pytest.mark.long
def test_where_only_warnings_are_logged_there_are_no_lines_of_requests_and_none_of_the_server(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    with service(make_settings(log_level="WARNING"), tmp_path / "log") as (client, _):
        assert client.get("/unheard-of").status == 404
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line for line in lines if " WARNING app.registry.follower: " not in line] == []


def test_the_time_of_a_request_is_measured_by_every_way_of_answering(tmp_path: Path) -> None:
    settings = offline_settings(tmp_path)
    put_in_cache(settings, write(tmp_path / "served"))
    with serving(settings) as client:
        began = perf_counter()
        for route in ROUTES:
            client.get(route)
        took = perf_counter() - began
        found = samples(client.get("/metrics").body.decode())
    seconds = [value for name, value in found.items() if name.startswith("recommender_request_seconds_sum")]
    assert len(seconds) == len(ROUTES)
    assert min(seconds) > 0
    assert sum(seconds) < took
