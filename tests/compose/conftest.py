"""One deployment for all tests, which build on each other, and the table of what was broken."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compose.clients import Clients
from tests.compose.deployment import Deployment, deployed
from tests.processes import PROJECT

TABLE = PROJECT / ".cache" / "compose.md"
HEAD = "| what was broken | requests | failed | slowest answer, s | whole again after, s |\n|---|---|---|---|---|\n"
CALM_SECONDS = 2


@dataclass
class Breaking:
    """What a test says of the breakage: when it began, when all was well again."""

    clients: Clients
    began: float

    healed_after: float = 0.0

    def healed(self) -> None:
        """All is as it was."""
        self.healed_after = time.monotonic() - self.began


Break = Callable[..., AbstractContextManager[Breaking]]


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """All services, started from empty volumes."""
    if shutil.which("docker") is None:
        pytest.fail("make test-compose needs Docker with Compose.")
    with deployed(tmp_path_factory.mktemp("compose")) as started:
        yield started


@pytest.fixture(scope="session")
def table() -> Iterator[list[str]]:
    """Rows of the table; printed and written at the end."""
    rows: list[str] = []
    yield rows
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(HEAD + "".join(rows), encoding="utf-8")
    print(f"\n\n{TABLE.read_text(encoding='utf-8')}")  # noqa: T201 - the proof


@pytest.fixture
def breaking(deployment: Deployment, table: list[str]) -> Break:
    """A context in which clients ask all the time, another deployment if one is named; a row of the table."""

    @contextmanager
    def break_while_asked(what: str, broken: Deployment = deployment) -> Iterator[Breaking]:
        with Clients(broken.port) as clients:
            time.sleep(CALM_SECONDS)
            happening = Breaking(clients, time.monotonic())
            yield happening
            time.sleep(CALM_SECONDS)
        table.append(
            f"| {what} | {clients.requests} | {len(clients.failures)} | {clients.slowest:.1f} "
            f"| {happening.healed_after:.0f} |\n"
        )

    return break_while_asked


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder that containers may read."""
    tmp_path.chmod(0o755)
    return tmp_path
