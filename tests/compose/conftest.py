"""One deployment for all tests, which build on each other, and the tables of what was broken."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.compose.clients import Clients
from tests.compose.deployment import MODEL, Deployment, deployed
from tests.compose.writer import Writer
from tests.processes import PROJECT

TABLES = PROJECT / ".cache" / "compose.md"
HEAD = "| what was broken | requests | failed | slowest answer, s | whole again after, s |\n|---|---|---|---|---|\n"
EVENTS_HEAD = (
    "| what was broken | requests | failed | events stored | refusals | slowest answer to an event, s | events lost "
    "| whole again after, s |\n|---|---|---|---|---|---|---|---|\n"
)
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


@dataclass
class BreakingEvents(Breaking):
    """A breakage while somebody sends events; `lost` are those that were answered with 200 and aren't in the store."""

    writer: Writer = field(kw_only=True)
    lost: set[str] = field(default_factory=set)


Break = Callable[..., AbstractContextManager[Breaking]]
BreakEvents = Callable[..., AbstractContextManager[BreakingEvents]]


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """All services, started from empty volumes."""
    if shutil.which("docker") is None:
        pytest.fail("make test-compose needs Docker with Compose.")
    with deployed(tmp_path_factory.mktemp("compose")) as started:
        yield started


@pytest.fixture(scope="session")
def second_version(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Another version, with smaller vectors; the first one stays live."""
    params = (PROJECT / "params.yaml").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("second") / "params.yaml"
    file.write_text(params.replace("embedding_size: 64", "embedding_size: 32", 1), encoding="utf-8")
    said = deployment.compose("run", "--rm", "-T", "--volume", f"{file}:/project/params.yaml:ro", "train")
    [version] = set(re.findall(rf"{MODEL} version (\d+)", said))
    deployment.promote("1")
    deployment.wait_for("1")
    return str(version)


@dataclass(frozen=True)
class Tables:
    """Rows of each table, by its head; a file has each from the moment when it was taken."""

    rows: dict[str, list[str]] = field(default_factory=lambda: {HEAD: [], EVENTS_HEAD: []})

    def add(self, head: str, row: str) -> None:
        """One more row."""
        self.rows[head].append(row)
        TABLES.parent.mkdir(exist_ok=True)
        tables = [head + "".join(lines) for head, lines in self.rows.items() if lines]
        TABLES.write_text("\n".join(tables), encoding="utf-8")
        print(f"\n{row}")  # noqa: T201 - the proof


@pytest.fixture(scope="session")
def tables() -> Tables:
    """Empty ones."""
    return Tables()


@pytest.fixture
def breaking(deployment: Deployment, tables: Tables) -> Break:
    """A context in which clients ask all the time, another deployment if one is named; a row of the table."""

    @contextmanager
    def break_while_asked(what: str, broken: Deployment = deployment) -> Iterator[Breaking]:
        with Clients(broken.port) as clients:
            time.sleep(CALM_SECONDS)
            happening = Breaking(clients, time.monotonic())
            yield happening
            time.sleep(CALM_SECONDS)
        tables.add(
            HEAD,
            f"| {what} | {clients.requests} | {len(clients.failures)} | {clients.slowest:.1f} "
            f"| {happening.healed_after:.0f} |\n",
        )

    return break_while_asked


@pytest.fixture
def breaking_events(deployment: Deployment, tables: Tables) -> BreakEvents:
    """The same while somebody sends events, too."""

    @contextmanager
    def break_while_told(what: str, broken: Deployment = deployment) -> Iterator[BreakingEvents]:
        with Clients(broken.port) as clients, Writer(broken.port) as writer:
            time.sleep(CALM_SECONDS)
            happening = BreakingEvents(clients, time.monotonic(), writer=writer)
            yield happening
            time.sleep(CALM_SECONDS)
        happening.lost = writer.stored.keys() - set(broken.sql("SELECT event_id FROM event"))
        tables.add(
            EVENTS_HEAD,
            f"| {what} | {clients.requests} | {len(clients.failures)} | {len(writer.stored)} "
            f"| {writer.refusals.total()} | {writer.slowest:.1f} | {len(happening.lost)} "
            f"| {happening.healed_after:.0f} |\n",
        )

    return break_while_told


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder that containers may read."""
    tmp_path.chmod(0o755)
    return tmp_path
