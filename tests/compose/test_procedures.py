"""Each procedure with the commands that docs/deployment.md gives for it, while clients ask."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.conftest import Break, BreakEvents
from tests.compose.deployment import MODEL, NAME, REPLICAS, Deployment, deployed, docker, output, present
from tests.compose.page import PAGE, do, ways
from tests.processes import wait_until

pytestmark = [pytest.mark.compose, pytest.mark.story]
RELEASE = output("git", "tag", "--merged", "HEAD", "--list", "v*", "--sort", "-version:refname").partition("\n")[0]
# 60fafbe is of before the first release: its page starts it, and the new one brings it back, in another way.
BEFORE = RELEASE or "60fafbe"
START = "make up" if RELEASE else "docker compose up --detach --build --wait"
NEXT_POSTGRES = "postgres:18-alpine"
# The names of its images are its own, as other deployments go on with those of the present code.
IMAGES = {"TRAIN_IMAGE": f"{MODEL}-train:older", "API_IMAGE": f"{MODEL}-api:older"}
BACKUP, DROP, MOVE_PASSWORDS, *RESTORE = ways("code of before 1.0.0")
PLAIN = "docker compose up --detach --wait"
TABLES = "SELECT version_num FROM alembic_version"
# What a later release may do to the tables.
LATER = """
from alembic import op

revision, down_revision = "later", "{}"


def upgrade() -> None:
    op.execute("ALTER TABLE event ADD COLUMN later text")
"""


def replace(file: Path, old: str, new: str) -> None:
    """Change a file as git and editors do: a new one takes its place."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    changed = file.with_suffix(".changed")
    changed.write_text(text.replace(old, new), encoding="utf-8")
    changed.replace(file)


def has(container: str, setting: str) -> bool:
    environment: list[str] = json.loads(docker("inspect", "--format", "{{json .Config.Env}}", container))
    return setting in environment


def all_have(deployment: Deployment, setting: str, number: int = REPLICAS) -> bool:
    """Whether there are so many replicas, stopped ones counted, and all run with the setting."""
    there, running = deployment.compose("ps", "--all", "--quiet", "api").split(), deployment.replicas()
    return len(there) == len(running) == number and all(has(replica, setting) for replica in there)


def test_a_changed_setting_reaches_every_replica(deployment: Deployment, breaking: Break) -> None:
    with breaking("a setting in `.env` changes; `make up`") as happening:
        deployment.set(LOG_LEVEL="WARNING")
        do(deployment, *ways("a new setting, more replicas"))
        assert all_have(deployment, "LOG_LEVEL=WARNING")
        deployment.wait_for("1")
        happening.healed()
    assert happening.clients.failures == []


def test_a_stopped_replica_and_one_that_hangs_are_replaced_like_the_others(
    deployment: Deployment, breaking: Break
) -> None:
    stopped, hanging = deployment.replicas()[:2]
    with breaking("a replica is stopped and another hangs, a setting changes; `make up`") as happening:
        docker("stop", stopped)
        docker("pause", hanging)
        deployment.set(LOG_LEVEL="ERROR")
        do(deployment, *ways("a new setting, more replicas"))
        assert all_have(deployment, "LOG_LEVEL=ERROR")
        deployment.wait_for("1")
        happening.healed()
    assert happening.clients.failures == []


def test_the_number_of_replicas_is_a_setting(deployment: Deployment, breaking: Break) -> None:
    with breaking("`API_REPLICAS` is one less, then as before; `make up` twice") as happening:
        for number in (REPLICAS - 1, REPLICAS):
            deployment.set(API_REPLICAS=number)
            do(deployment, *ways("a new setting, more replicas"))
            assert all_have(deployment, "LOG_LEVEL=ERROR", number)
        deployment.wait_for("1")
        happening.healed()
    assert happening.clients.failures == []


def test_who_does_not_know_make_up_makes_clients_wait_and_no_more(deployment: Deployment, breaking: Break) -> None:
    assert f"A plain `{PLAIN}` is slower for clients" in PAGE.read_text(encoding="utf-8")
    with breaking(f"a setting changes; a plain `{PLAIN}`") as happening:
        deployment.set(LOG_LEVEL="WARNING")
        do(deployment, PLAIN)
        assert all_have(deployment, "LOG_LEVEL=WARNING")
        deployment.wait_for("1")
        happening.healed()
    assert happening.clients.failures == []


def test_gateway_and_prometheus_take_their_files_along(deployment: Deployment, breaking: Break) -> None:
    deployment.set(COMPOSE_PROFILES="monitoring")
    do(deployment, *ways("a new setting, more replicas"))
    stay = ("gateway", "prometheus", "mlflow", "postgres")
    before = [start_of(deployment.container(service)) for service in stay]
    with breaking("`nginx.conf` and Prometheus' rules change; `make up`") as happening:
        replace(deployment.folder / "deploy/gateway/nginx.conf", '{"status":"live"}', '{"status":"changed"}')
        rule = "groups:\n  - {name: changed, rules: [{record: changed, expr: vector(1)}]}"
        replace(deployment.folder / "deploy/prometheus/rules.yml", "groups:", rule)
        said = do(deployment, *ways("other limits of the gateway, other alerts"))
        wait_until(lambda: deployment.gateway.get("/gateway/health").json == {"status": "changed"}, step=0.5)
        query = ("promtool", "query", "instant", "http://127.0.0.1:9090", "changed")
        ask = ("exec", deployment.container("prometheus"), *query)
        wait_until(lambda: "=> 1 @" in docker(*ask), step=1)
        happening.healed()
    assert happening.clients.failures == []
    assert [start_of(deployment.container(service)) for service in stay] == before
    for service, mounted in (("gateway", "nginx"), ("prometheus", "prometheus")):
        read = deployment.compose("exec", "-T", service, "sh", "-c", f"cat /etc/{mounted}/* | sha256sum")
        assert f"{service} reads deploy/{service}, {read[:12]}\n" in said


@pytest.mark.parametrize(
    ("name", "right", "wrong", "message"),
    [
        ("gateway/nginx.conf", "worker_processes auto;", "worker_processes many;", "directive invalid value"),
        ("prometheus/rules.yml", "groups:", "groops:", "field groops not found"),
    ],
)
def test_a_mistake_in_a_mounted_file_changes_nothing(
    deployment: Deployment, name: str, right: str, wrong: str, message: str
) -> None:
    before = deployment.compose("ps", "--all", "--quiet", "api", "gateway", "mlflow")
    file = deployment.folder / "deploy" / name
    replace(file, right, wrong)
    done = deployment.shell(*ways("a new setting, more replicas"))
    replace(file, wrong, right)
    assert done.returncode
    assert message in done.stdout + done.stderr
    assert deployment.compose("ps", "--all", "--quiet", "api", "gateway", "mlflow") == before


def test_mlflows_tables_are_brought_up_to_date_while_it_runs(deployment: Deployment, breaking: Break) -> None:
    with breaking("`mlflow db upgrade`, then `make up`, as for a new version of MLflow") as happening:
        do(deployment, *ways("a new version of MLflow"))
        deployment.wait_for("1")
        happening.healed()
    assert happening.clients.failures == []


def test_the_code_before_works_on_tables_that_newer_code_has_made(
    deployment: Deployment, breaking_events: BreakEvents
) -> None:
    step = deployment.folder / "deploy/events/versions/later.py"
    with breaking_events("newer code, which changes the tables, and the way back; `make up` twice") as happening:
        step.write_text(LATER.format(*deployment.sql(TABLES)), encoding="utf-8")
        do(deployment, *ways("new code"))
        assert deployment.sql(TABLES) == ["later"]
        step.unlink()
        do(deployment, *ways("the previous code"))
        deployment.wait_for("1")
        wait_until(deployment.know_events, step=0.5)
        happening.healed()
    assert (happening.clients.failures, happening.lost) == ([], set())
    assert deployment.sql(TABLES) == ["later"]


def test_the_next_major_version_of_postgresql_takes_over_from_a_backup(
    deployment: Deployment, breaking_events: BreakEvents
) -> None:
    save, drop, restore = ways("a new major version of PostgreSQL")
    with breaking_events("PostgreSQL gives way to its next major version: backup, new volume, restore") as happening:
        do(deployment, save, drop.replace(MODEL, NAME))
        deployment.set(POSTGRES_IMAGE=NEXT_POSTGRES)
        do(deployment, restore)
        finished = time.monotonic()
        deployment.wait_for("1")
        wait_until(deployment.know_events, step=0.5)
        happening.healed()
    assert happening.clients.failures == []
    stored = happening.writer.stored
    assert [event for event in happening.lost if not happening.began < stored[event] < finished] == []
    assert max(stored.values()) > finished
    assert deployment.sql("SELECT current_setting('server_version_num')::int / 10000") == ["18"]


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment of the last release, with its data, as that release's page starts it."""
    with deployed(tmp_path_factory.mktemp("older"), f"{NAME}-older", IMAGES, BEFORE, START) as started:
        started.wait_for("1")
        do(started, BACKUP)
        yield started


def test_an_older_release_is_upgraded_with_its_data(older: Deployment, breaking_events: BreakEvents) -> None:
    stopped = older.replicas()[0]
    with breaking_events("an older release with a stopped replica is upgraded: `make up`", older) as happening:
        docker("stop", stopped)
        time.sleep(2)
        older.check_out(present())
        do(older, *ways("new code"))
        older.wait_for("1")
        wait_until(older.know_events, step=0.5)
        happening.healed()
    # Its gateway mounts other files, so it is replaced, and nobody listens for a moment.
    assert all(is_refused(failure) for failure in happening.clients.failures)
    assert happening.lost == set()
    assert mounted_in(older.container("gateway")) == older.folder / "deploy/gateway"


@pytest.mark.skipif(not RELEASE, reason="There is no release yet.")
def test_the_older_release_comes_back(older: Deployment, breaking_events: BreakEvents) -> None:
    with breaking_events("the way back to the older release: `make up`", older) as happening:
        older.check_out(BEFORE)
        do(older, *ways("the previous code"))
        older.wait_for("1")
        wait_until(older.know_events, step=0.5)
        happening.healed()
    assert all(is_refused(failure) for failure in happening.clients.failures)
    assert happening.lost == set()


@pytest.mark.skipif(bool(RELEASE), reason="The older code is a release.")
def test_code_of_before_the_first_release_comes_back_with_its_backup(
    older: Deployment, breaking_events: BreakEvents
) -> None:
    with breaking_events("the way back to code of before 1.0.0, with its backup", older) as happening:
        do(older, DROP.replace(MODEL, older.name), MOVE_PASSWORDS)
        older.check_out(BEFORE)
        do(older, *RESTORE)
        finished = time.monotonic()
        older.wait_for("1")
        wait_until(older.know_events, step=0.5)
        happening.healed()
    assert all(is_refused(failure) for failure in happening.clients.failures)
    stored = happening.writer.stored
    assert max(stored.values()) > finished
    assert [event for event in happening.lost if stored[event] > finished] == []


def is_refused(failure: str) -> bool:
    """Whether nobody listened, rather than gave a bad answer."""
    return failure.startswith(("ConnectionRefusedError", "ConnectionResetError", "RemoteDisconnected"))


def start_of(container: str) -> str:
    return docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", container)


def mounted_in(container: str) -> Path:
    [source] = docker("inspect", "--format", "{{range .Mounts}}{{.Source}}{{end}}", container).splitlines()
    return Path(source)
