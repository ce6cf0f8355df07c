"""Fixtures that several packages of tests share."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pytest

from app.contract.store_address import NO_STORE
from app.settings import Settings
from tests.artifacts import make_artifact, write
from tests.client import put_in_cache
from tests.processes import free_port
from tests.registry import TestRegistry
from tests.shared import locked, shared_mlflow

if TYPE_CHECKING:
    from tests.postgres import Postgres

# A shell makes programs in the background ignore Ctrl-C, and their children inherit that. Tests send Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test leaves events where people have theirs.
os.environ["EVENTS_URL"] = NO_STORE

MakeSettings = Callable[..., Settings]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that shows whether tests depend on each other."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run files, and tests within a file, in random order")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the end-to-end tests, the files beside this one, first: a long one at the end would leave a worker idle."""
    seed = config.getoption("--shuffle")
    if seed is None:
        items.sort(key=lambda item: item.path.parent != Path(__file__).parent)
    else:
        # A place follows from seed and name alone, so two workers agree, and a single file keeps its order.
        items.sort(key=lambda item: (_place(seed, str(item.path)), _place(seed, item.nodeid) * (not _in_story(item))))


def _in_story(item: pytest.Item) -> bool:
    return item.get_closest_marker("story") is not None


def _place(seed: int, name: str) -> bytes:
    return sha256(f"{seed} {name}".encode()).digest()


@pytest.fixture(autouse=True)
def _mlflow_forgets() -> Iterator[None]:
    """MLflow keeps the addresses that a test gives it, for the whole process and what it starts."""
    yield
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)
    os.environ.pop("MLFLOW_REGISTRY_URI", None)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of the whole run of tests, in which each worker has its own."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def mlflow_server(run_folder: Path) -> Iterator[str]:
    """The address of a real MLflow server, one for all workers; its directories have spaces in their names."""
    with shared_mlflow(run_folder / "mlflow server") as address:
        yield address


@pytest.fixture(scope="session")
def files_of_mlflow(run_folder: Path) -> Path:
    """Where that server keeps its files."""
    return run_folder / "mlflow server" / "files"


@pytest.fixture(scope="session")
def made_database(run_folder: Path) -> Path:
    """The files of a PostgreSQL server with the database of events, which has ended; made once, and to be copied."""
    # The environment with MLflow 2, in which some tests run as well, has no PostgreSQL.
    from tests.postgres import postgres

    with locked(run_folder / "postgres"):
        if not (folder := run_folder / "postgres" / "made").exists():
            with postgres(folder.with_name("unfinished")) as server:
                made = server.make_database()
                assert made.returncode == 0, made.stderr
            folder.with_name("unfinished").rename(folder)
    return folder


@pytest.fixture(scope="session")
def postgres_server(made_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Postgres"]:
    """A PostgreSQL server with the database of events."""
    from tests.postgres import postgres

    with postgres(tmp_path_factory.mktemp("postgres"), made_database) as server:
        yield server


@pytest.fixture
def own_postgres(made_database: Path, tmp_path: Path) -> Iterator["Postgres"]:
    """Such a server that this test may break."""
    from tests.postgres import postgres

    with postgres(tmp_path / "postgres", made_database) as server:
        yield server


@pytest.fixture
def events_database(postgres_server: "Postgres") -> "Postgres":
    """The server, its database of events and exposures empty."""
    postgres_server.execute("TRUNCATE answer, event, exposure, impression, pleased RESTART IDENTITY", "events")
    return postgres_server


@pytest.fixture
def registry(mlflow_server: str, files_of_mlflow: Path, tmp_path: Path, request: pytest.FixtureRequest) -> TestRegistry:
    """A registered model that only this test uses."""
    name = re.sub(r"\W+", "-", request.node.name)
    return TestRegistry(mlflow_server, name, tmp_path, files_of_mlflow)


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Settings of a service that polls often; its registry is a closed port unless the test names one."""

    def make(registry: TestRegistry | None = None, **fields: object) -> Settings:
        address = {"mlflow_tracking_uri": f"http://127.0.0.1:{free_port()}"}
        if registry is not None:
            address = {"mlflow_tracking_uri": registry.uri, "model_name": registry.name}
        defaults = {"model_poll_seconds": 0.5, "model_cache_dir": tmp_path / "cache of models"}
        return Settings.model_validate({**address, **defaults, **fields})

    return make


@pytest.fixture
def events_settings(make_settings: MakeSettings, tmp_path: Path) -> Settings:
    """Settings of a service that has a model and two editors, and stores events in SQLite."""
    url, keys = f"sqlite:///{tmp_path}/events.db", "ann:a,bob:b"
    settings = make_settings(events_url=url, catalogue_keys=keys, log_level="WARNING")
    put_in_cache(settings, write(tmp_path / "served", make_artifact()))
    return settings
