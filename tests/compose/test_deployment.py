"""What the deployment does while all is well. The tests run in this order, each on what the one before has left."""

import contextlib
import http.client
import json
import os
import socket
import time

import pytest

from tests.client import Client
from tests.compose.deployment import MODEL, NAME, Deployment, docker
from tests.compose.page import do, ways
from tests.pages import commands
from tests.processes import answers, free_port, wait_until

pytestmark = pytest.mark.compose
MEGABYTE = 1_000_000
CONNECT = "import os, psycopg, sys; psycopg.connect(os.environ['EVENTS_URL'], dbname=sys.argv[1])"


def test_the_first_start_has_trained_and_promoted_a_model(deployment: Deployment) -> None:
    answer = deployment.gateway.get("/users/42/recommendations?k=3").json
    assert answer["model_version"] == "1"
    assert answer["source"] == "personalised"
    assert len(answer["items"]) == 3
    assert deployment.follows("1")


def test_a_second_start_trains_nothing(deployment: Deployment) -> None:
    deployment.compose("up", "--detach", "--wait")
    assert "nothing to do" in deployment.compose("logs", "bootstrap").splitlines()[-1]


RESULTS = {f"/project/{name}" for name in (".dvc", ".dvc/cache", ".dvc/cache/dvc.lock", "data", "models", "reports")}


@pytest.mark.parametrize(("service", "owned"), [("api", set()), ("mlflow", RESULTS)])
def test_the_code_belongs_to_another_user_than_the_one_that_runs_it(
    deployment: Deployment, service: str, owned: set[str]
) -> None:
    find = "find $(ls -d /opt/venv /project /srv 2>/dev/null) -uid $(id -u) -o -perm -o+w -not -type l"
    assert set(docker("exec", deployment.container(service), "sh", "-c", find).splitlines()) == owned


@pytest.mark.parametrize(
    ("service", "modules"), [("api", "app.main, urllib.request"), ("mlflow", "mlflow.cli, dvc.cli, training.retrain")]
)
def test_no_start_compiles_code(deployment: Deployment, service: str, modules: str) -> None:
    command = f"python -v -c 'import {modules}' 2>&1"
    loaded = docker("exec", deployment.container(service), "sh", "-c", command).splitlines()
    loaded = [line for line in loaded if line.startswith("# code object from ")]
    assert len(loaded) > 100
    assert [line for line in loaded if ".pyc" not in line] == []


def test_only_gateway_and_mlflow_are_published_and_only_here(deployment: Deployment) -> None:
    published = deployment.compose("ps", "--format", "{{.Service}} {{.Ports}}").splitlines()
    open_ones = {line.split()[0]: line for line in published if "->" in line}
    assert set(open_ones) == {"gateway", "mlflow"}
    assert all("127.0.0.1:" in line and "0.0.0.0" not in line and "[::]" not in line for line in open_ones.values())


def test_the_services_own_user_may_read_and_nothing_else(deployment: Deployment) -> None:
    assert deployment.mlflow("api", f"registered-models/get?name={MODEL}")[0] == 200
    alias = {"name": MODEL, "alias": "production", "version": "1"}
    for path, content in (
        ("registered-models/alias", alias),
        ("registered-models/create", {"name": "another"}),
        ("experiments/create", {"name": "another"}),
    ):
        assert deployment.mlflow("api", path, content) == (403, "api may only read.")


def test_mlflow_asks_for_a_login(deployment: Deployment) -> None:
    assert Client(deployment.mlflow_port).get("/").status == 401


def test_the_service_enters_no_database_but_that_of_events(deployment: Deployment) -> None:
    replica = deployment.replicas()[0]
    connect = ("exec", replica, "sh", "/with_secrets.sh", "python", "-c", CONNECT)
    docker(*connect, "events")
    with pytest.raises(RuntimeError, match='permission denied for database "mlflow"'):
        docker(*connect, "mlflow")


def test_the_gateway_spreads_requests_and_passes_their_ids(deployment: Deployment) -> None:
    for number in range(12):
        answer = deployment.gateway.get("/users/1/recommendations", headers={"X-Request-ID": f"mine-{number}"})
        assert answer.headers["x-request-id"] == f"mine-{number}"
    lines = [line[line.index("{") :] for line in deployment.compose("logs", "gateway").splitlines() if "mine-" in line]
    assert len({json.loads(line)["replica"] for line in lines}) == 3


def test_the_gateway_shows_no_metrics(deployment: Deployment) -> None:
    assert deployment.gateway.get("/metrics").json["error"]["code"] == "not_found"


def test_who_asks_too_often_is_told_so(deployment: Deployment) -> None:
    address = ("127.0.0.1", deployment.port)
    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(socket.create_connection(address, timeout=30)) for _ in range(8)]
        for connection in connections:  # at once: a client that waits for answers is too slow on a busy machine
            connection.sendall(b"GET /gateway/health/ HTTP/1.1\r\nHost: gateway\r\n\r\n" * 1000)
        said = opened.enter_context(connections[0].makefile("rb"))
        next(line for line in said if b"HTTP/1.1 429 " in line)
        headers = http.client.parse_headers(said)
        body = json.loads(said.read(int(headers["Content-Length"])))
    assert body["error"]["code"] == "too_many_requests"
    assert headers["Retry-After"] == "1"
    time.sleep(2)


def test_a_promotion_and_a_rollback_reach_every_replica(deployment: Deployment, second_version: str) -> None:
    for version in (second_version, "1", second_version):
        deployment.promote(version)
        deployment.wait_for(version)
        assert deployment.gateway.get("/users/42/recommendations").json["model_version"] == version
    do(deployment, *ways("the previous model"))
    deployment.wait_for("1")


def test_training_runs_by_the_commands_of_the_page(deployment: Deployment) -> None:
    page = [line for line in commands("docs/deployment.md") if line.startswith("docker ")]
    train, show, in_the_folder = page
    assert f"{MODEL} version" in do(deployment, train)
    assert "ndcg@10" in do(deployment, show)
    assert f"{MODEL} version 1" in do(deployment, in_the_folder.replace(":local", ":test"))
    made = [deployment.folder / name for name in ("dvc.lock", "models", "mlflow.db")]
    assert {path.stat().st_uid for path in made} == {os.getuid()}


def test_the_image_is_small(deployment: Deployment) -> None:
    config = json.loads(deployment.compose("config", "--format", "json"))
    base = config["services"]["api"]["build"]["args"]["PYTHON_IMAGE"]
    added = (_size(f"{MODEL}-api:test") - _size(base)) / MEGABYTE
    print(f"\nthe service's image adds {added:.0f} MB to {base}")  # noqa: T201
    assert added < 250


def test_the_image_starts_quickly_from_its_cache_with_nothing_else_writable(deployment: Deployment) -> None:
    port, began = free_port(), time.monotonic()
    options = ["--read-only", "--cap-drop", "ALL", "--publish", f"127.0.0.1:{port}:8000"]
    cache = f"{NAME}_api-cache:/var/cache/models"
    started = docker("run", "--detach", *options, "--volume", cache, f"{MODEL}-api:test")
    try:
        wait_until(lambda: answers(port, "/health/ready"))
        ready = time.monotonic() - began
        ticks = docker("exec", started, "cat", "/proc/1/stat").split()[13:15]
        used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        docker("stop", "--time", "30", started)
        stopped = time.monotonic() - began - ready
        print(f"\nready after {ready:.1f} s, {used:.1f} s of the processor; stopped within {stopped:.1f} s")  # noqa: T201
        assert docker("inspect", "--format", "{{.State.ExitCode}}", started) == "0"
        assert used < 3  # a busy machine takes longer
    finally:
        docker("rm", "--force", started)


def _size(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))
