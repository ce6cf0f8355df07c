"""The MLflow server with its login, as the deployment starts it but for the database."""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from app.model.errors import RegistryForbiddenError
from app.registry.mlflow_registry import Registry
from tests.conftest import MakeSettings
from tests.processes import PROJECT, answers, free_port, process, wait_until

pytestmark = pytest.mark.long  # starts MLflow with a login


PASSWORDS = {"admin": "the administrator's", "training": "that of training", "api": "that of the service"}
NEW = {"name": "anything"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server; training and api are its users, api may only read."""
    home, port = tmp_path_factory.mktemp("login"), free_port()
    settings = (PROJECT / "deploy" / "mlflow_auth.ini").read_text()
    assert "database_uri = postgresql://" in settings
    (home / "auth.ini").write_text(settings.replace("postgresql://", f"sqlite:///{home}/auth.db"))
    command = ["mlflow", "server", "--app-name", "basic-auth", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "files")]
    environment = {
        "PYTHONPATH": str(PROJECT),
        "MLFLOW_AUTH_CONFIG_PATH": str(home / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORDS["admin"],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "any",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "READ_ONLY_USERS": "nobody,api",
    }
    with process(command, environment, home / "log"):
        wait_until(lambda: answers(port, "/health"), step=0.1)
        address = f"http://127.0.0.1:{port}"
        assert create_users(address).stdout == "MLflow user training: created\nMLflow user api: created\n"
        yield address


def create_users(address: str, **changed: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_TRACKING_USERNAME": "admin",
        "MLFLOW_TRACKING_PASSWORD": PASSWORDS["admin"],
        "MLFLOW_USERS": "training,api",
        "TRAINING_PASSWORD": PASSWORDS["training"],
        "API_PASSWORD": PASSWORDS["api"],
    }
    command = [sys.executable, "-m", "deploy.mlflow_users"]
    env = {**os.environ, **environment, **changed}
    return subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False)


def status(server: str, user: str, call: str, content: dict[str, str] | None = None) -> int:
    """What the server answers to a GET, or to a POST of this content."""
    address, login = f"{server}/api/2.0/mlflow/{call}", (user, PASSWORDS[user])
    return (
        httpx.get(address, auth=login) if content is None else httpx.post(address, json=content, auth=login)
    ).status_code


def test_users_that_exist_get_their_password_again(server: str) -> None:
    done = create_users(server)
    assert done.stdout == "MLflow user training: exists, password set\nMLflow user api: exists, password set\n"
    assert status(server, "training", "registered-models/search") == 200


def test_a_wrong_administrator_creates_nobody_and_is_told_so(server: str) -> None:
    done = create_users(server, MLFLOW_TRACKING_PASSWORD="wrong")
    assert done.returncode == 1
    assert "The MLflow user training could not be created: " in done.stderr


def test_the_service_s_user_reads_and_writes_nothing(server: str) -> None:
    assert status(server, "api", "registered-models/search") == 200
    answer = httpx.post(f"{server}/api/2.0/mlflow/experiments/create", json=NEW, auth=("api", PASSWORDS["api"]))
    assert (answer.status_code, answer.text) == (403, "api may only read.")


def test_training_s_user_writes(server: str) -> None:
    assert status(server, "training", "registered-models/create", {"name": "written"}) == 200


@pytest.mark.parametrize("login", [None, ("api", "wrong"), ("nobody", "wrong")])
def test_who_is_not_known_is_refused_whatever_is_asked(server: str, login: tuple[str, str] | None) -> None:
    assert httpx.get(f"{server}/api/2.0/mlflow/registered-models/search", auth=login).status_code == 401
    assert httpx.post(f"{server}/api/2.0/mlflow/experiments/create", json=NEW, auth=login).status_code == 401


def test_the_service_may_read_all_versions_and_promote_none(server: str, make_settings: MakeSettings) -> None:
    assert status(server, "training", "registered-models/create", {"name": "films"}) == 200
    assert (
        status(server, "training", "model-versions/create", {"name": "films", "source": "mlflow-artifacts:/1"}) == 200
    )
    login = {"mlflow_tracking_username": "api", "mlflow_tracking_password": PASSWORDS["api"]}
    registry = Registry(make_settings(mlflow_tracking_uri=server, model_name="films", **login))
    assert [target.registered.version for target, _ in registry.versions()] == ["1"]
    with pytest.raises(RegistryForbiddenError, match="api may only read"):
        registry.promote("1")
