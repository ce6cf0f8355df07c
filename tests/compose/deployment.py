"""The deployment of docker-compose.yml in a clone, under a name and with ports, volumes and passwords of its own."""

import base64
import http.client
import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.client import Client
from tests.processes import PROJECT, free_port, wait_until
from tests.repository import GIT

NAME = "movie-recommender-test"
REPLICAS = 3
MODEL = "movie-recommender"
EDITORS_KEY = "of-ann"
STRANGE = "sixteen#@/$'\" %sïgns of "
ASK = """
import json, sys, urllib.request
path, content, headers = json.loads(sys.argv[1])
body = None if content is None else json.dumps(content).encode()
request = urllib.request.Request(f"http://127.0.0.1:8000{path}", body, {"Content-Type": "application/json", **headers})
print(urllib.request.urlopen(request, timeout=5).read().decode())
"""


def output(*command: str, folder: Path = PROJECT, settings: Mapping[str, str] = MappingProxyType({})) -> str:
    """What the command prints, with more in its environment; a failure raises with what it said."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, **settings}
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()


def docker(*arguments: str) -> str:
    """What docker prints; a failure raises with what it said."""
    return output("docker", *arguments)


@dataclass(frozen=True)
class Deployment:
    """Volumes are empty at first; `remove` removes them."""

    name: str
    folder: Path
    port: int
    mlflow_port: int

    def compose(self, *arguments: str, **settings: str) -> str:
        """One docker compose command, with more of what .env may hold."""
        return output("docker", "compose", *arguments, folder=self.folder, settings=settings)

    def shell(self, command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """A line as a person types it in the folder, with more of what .env may hold."""
        environment = os.environ | settings
        return subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def script(self, name: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """One of scripts/."""
        return self.shell(shlex.join(["sh", f"scripts/{name}.sh", *arguments]), **settings)

    def set(self, **settings: object) -> None:
        """Append settings to .env, where the last one of a name counts."""
        with (self.folder / ".env").open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def check_out(self, commit: str) -> None:
        """Have the files of a commit."""
        output("git", "checkout", "--quiet", "--force", commit, folder=self.folder)

    def remove(self) -> None:
        """Containers, networks and volumes, those of the profiles too."""
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "5")

    def password(self, name: str) -> str:
        """One of secrets/."""
        return (self.folder / "secrets" / name).read_text(encoding="utf-8")

    @property
    def gateway(self) -> Client:
        """A client of the one published port of the service."""
        return Client(self.port)

    def replicas(self) -> list[str]:
        """Ids of the running containers of the service."""
        return self.compose("ps", "--quiet", "api").split()

    def models(self) -> list[dict[str, Any]]:
        """What each replica says of its model, asked one by one; of one that doesn't answer, nothing."""
        return [model_of(replica) for replica in self.replicas()]

    def follows(self, version: str) -> bool:
        """Whether all replicas are there, serve the version and could look at the registry."""
        states = [(model.get("version"), model.get("registry", {}).get("status")) for model in self.models()]
        return states == [(version, "ok")] * REPLICAS

    def sql(self, query: str) -> list[str]:
        """The lines that a query of the database of events gives."""
        postgres = self.container("postgres")
        options = ("--username=mlflow", "--dbname=events", "--tuples-only", "--no-align", "--command", query)
        return docker("exec", postgres, "psql", *options).splitlines()

    def know_events(self) -> bool:
        """Whether all replicas are there and know all events that are stored by now."""
        try:
            last = int(self.sql("SELECT coalesce(max(position), 0) FROM event")[0])
        except RuntimeError:  # PostgreSQL is starting
            return False
        states = [model.get("events", {}) for model in self.models()]
        known = [state for state in states if state.get("status") == "ok" and state["position"] >= last]
        return len(known) == REPLICAS

    def container(self, service: str) -> str:
        """The id of a service's only container, running or not."""
        return self.compose("ps", "--all", "--quiet", service).split()[0]

    def mlflow(self, user: str, path: str, content: object | None = None) -> tuple[int, Any]:
        """Status and answer of MLflow's REST API, as the page asks it."""
        login = base64.b64encode(f"{user}:{self.password(f'MLFLOW_{user.upper()}_PASSWORD')}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.mlflow_port, timeout=30)
        body = None if content is None else json.dumps(content)
        connection.request("GET" if body is None else "POST", f"/api/2.0/mlflow/{path}", body, headers)
        response = connection.getresponse()
        answer = response.read().decode()
        connection.close()
        return response.status, json.loads(answer) if answer.startswith("{") else answer

    def promote(self, version: str) -> None:
        """Give the alias to a version, as a person does in MLflow's page."""
        content = {"name": MODEL, "alias": "production", "version": version}
        status, answer = self.mlflow("admin", "registered-models/alias", content)
        assert status == 200, answer

    def wait_for(self, version: str) -> None:
        """Return once every replica follows the registry and serves the version."""
        wait_until(lambda: self.follows(version), step=0.5)


def ask(replica: str, path: str, content: object = None, **headers: str) -> dict[str, Any]:
    """The answer of one replica, asked past the gateway; raises RuntimeError for one of an error."""
    asked = json.dumps([path, content, {name.replace("_", "-"): value for name, value in headers.items()}])
    answer: dict[str, Any] = json.loads(docker("exec", replica, "python", "-c", ASK, asked))
    return answer


def model_of(replica: str) -> dict[str, Any]:
    """What a replica says of its model; nothing if it doesn't answer."""
    try:
        return ask(replica, "/model")
    except RuntimeError:
        return {}


def present() -> str:
    """A commit of the files as they are; those that git doesn't know are left out."""
    return output("git", "stash", "create", settings=GIT) or output("git", "rev-parse", "HEAD")


@contextmanager
def deployed(
    folder: Path,
    name: str = NAME,
    more: Mapping[str, str] = MappingProxyType({}),
    commit: str = "",
    start: str = "make up",
) -> Iterator[Deployment]:
    """Everything started on empty volumes as the page says, all healthy; removed in the end."""
    deployment = Deployment(name, folder / "clone", free_port(), free_port())
    # Shared, so that it has the commit of the present files, which no branch has.
    output("git", "clone", "--quiet", "--shared", str(PROJECT), str(deployment.folder))
    deployment.check_out(commit or present())
    assert deployment.script("env").returncode == 0
    for file in (deployment.folder / "secrets").glob("*_PASSWORD"):
        file.write_text(STRANGE + file.name, encoding="utf-8")
    deployment.set(**{**_settings(deployment), **more})
    deployment.remove()
    try:
        started = deployment.shell(start)
        assert started.returncode == 0, started.stderr
        yield deployment
    finally:
        deployment.remove()


def _settings(deployment: Deployment) -> dict[str, object]:
    settings: dict[str, object] = {
        "COMPOSE_PROJECT_NAME": deployment.name,
        "PORT": deployment.port,
        "MLFLOW_PORT": deployment.mlflow_port,
        "API_REPLICAS": REPLICAS,
        "MODEL_POLL_SECONDS": 2,
        "ADMIN_TOKEN": "of-the-tests",
        "CATALOGUE_KEYS": f"ann:{EDITORS_KEY}",
        "TRAIN_IMAGE": f"{MODEL}-train:test",
        "API_IMAGE": f"{MODEL}-api:test",
    }
    # Base images may be named that are had from elsewhere.
    return settings | {name: value for name, value in os.environ.items() if name.endswith("_IMAGE")}
