"""One service for all attacks, and the table of what was tried."""

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from app.contract.artifact import Artifact
from app.settings import Settings
from tests.artifacts import Film, make_artifact, write
from tests.client import Client, put_in_cache
from tests.processes import PROJECT, free_port
from tests.service import service

TABLE = PROJECT / ".cache" / "hostile.md"
HEAD = "| what was tried | tried | wrong |\n|---|---|---|\n"
SEED = 12
GENRES = ("Action", "Comedy", "Drama", "Horror", "Sci-Fi")
N_USERS, N_ITEMS, DIM = 60, 400, 8


@dataclass
class Tally:
    """How often something was tried, and each time that it went wrong."""

    tried: int = 0
    wrong: list[str] = field(default_factory=list)

    def count(self, is_right: bool, said: object) -> None:
        """One try; `said` describes it if it is wrong."""
        self.tried += 1
        if not is_right:
            self.wrong.append(str(said)[:500])


class Table:
    """Rows of tallies by what was tried."""

    def __init__(self) -> None:
        self._rows: list[str] = []

    def add(self, what: str, tally: Tally) -> None:
        """Add a row, and fail if anything is wrong."""
        self._rows.append(f"| {what} | {tally.tried:,} | {len(tally.wrong)} |\n")
        assert tally.tried
        assert tally.wrong[:5] == []

    @property
    def text(self) -> str:
        """The table in Markdown."""
        return HEAD + "".join(self._rows)


class Connection:
    """Asks over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(
        self, path: str, body: bytes | None = None, method: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body."""
        sent = dict(headers or {}) | ({} if body is None else {"Content-Type": "application/json"})
        self._connection.request(method or ("GET" if body is None else "POST"), path, body, sent)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """End it."""
        self._connection.close()


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    """Printed and written at the end."""
    table = Table()
    yield table
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table.text, encoding="utf-8")
    print(f"\n\n{table.text}")  # noqa: T201 - the proof


@pytest.fixture(scope="session")
def artifact() -> Artifact:
    """Users 0 to 59, every seventh without a vector, and films 1000 to 1399, a few without a year."""
    rng = np.random.default_rng(SEED)
    users = rng.normal(size=(N_USERS, DIM)).astype(np.float32)
    users[::7] = 0
    films = [
        Film(f"Film {n}", None if n % 50 == 0 else 1950 + n % 70, sorted(rng.choice(GENRES, 2, replace=False).tolist()))
        for n in range(N_ITEMS)
    ]
    seen = {user: rng.choice(N_ITEMS, rng.integers(0, 50), replace=False).tolist() for user in range(N_USERS)}
    seen[5] = list(range(N_ITEMS - 3))
    return make_artifact(
        user_ids=range(N_USERS),
        item_ids=range(1000, 1000 + N_ITEMS),
        dim=DIM,
        seed=SEED,
        seen=seen,
        user_embeddings=users,
        item_popularity=rng.permutation(10 * N_ITEMS)[:N_ITEMS].astype(np.int64),
        encoder=rng.normal(size=(N_ITEMS, DIM)).astype(np.float32),
        films=films,
    )


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A registry that is a closed port, two editors, and few lines in the log."""
    home = tmp_path_factory.mktemp("hostile")
    fields = {
        "mlflow_tracking_uri": f"http://127.0.0.1:{free_port()}",
        "model_cache_dir": home / "cache",
        "events_url": f"sqlite:///{home}/events.db",
        "catalogue_keys": "ann:a,bob:b",
        "log_level": "WARNING",
    }
    return Settings.model_validate(fields)


@pytest.fixture(scope="session")
def log(settings: Settings) -> Path:
    """What the service writes."""
    return settings.model_cache_dir.parent / "log"


@pytest.fixture(scope="session")
def target(settings: Settings, log: Path, artifact: Artifact) -> Iterator[Client]:
    """The service under attack, a process of its own. After all attacks, it has written no traceback."""
    put_in_cache(settings, write(log.parent / "served", artifact))
    with service(settings, log) as (client, _):
        yield client
    assert "Traceback" not in log.read_text(errors="replace")


@pytest.fixture
def connection(target: Client) -> Iterator[Connection]:
    """A connection to that service."""
    connection = Connection(target.port)
    yield connection
    connection.close()
