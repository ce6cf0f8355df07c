"""Whatever is killed, hangs or fills up: events and films that were answered with 200 are in the store, once."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

from app.settings import Settings
from tests.app.events.test_durability import ITEM, at, kill_postgres, kill_the_service
from tests.every_route import assert_every_route_answers
from tests.hostile.conftest import Table, Tally
from tests.postgres import postgres
from tests.processes import wait_until
from tests.sending import aim, missing_or_twice, sending, statuses
from tests.service import Asking, serves, service

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(600)]

KILLS = 15


def counted(answered: int) -> Tally:
    """Events and films that were all found: the functions that count them fail otherwise."""
    return Tally(tried=answered)


def test_the_service_is_killed(events_settings: Settings, table: Table, tmp_path: Path) -> None:
    answered = kill_the_service(events_settings, tmp_path / "log", KILLS)
    table.add(
        f"events and new films answered with 200 while the service is killed {KILLS} times: in SQLite once",
        counted(answered),
    )


def test_the_service_is_killed_and_writes_into_postgresql(
    events_settings: Settings, table: Table, tmp_path: Path
) -> None:
    with postgres(tmp_path / "postgres") as server:
        assert server.make_database().returncode == 0
        answered = kill_the_service(at(events_settings, server), tmp_path / "log", KILLS)
    table.add(f"the same in PostgreSQL, {KILLS} times", counted(answered))


def test_postgresql_is_killed(events_settings: Settings, table: Table, tmp_path: Path) -> None:
    with postgres(tmp_path / "postgres") as server:
        assert server.make_database().returncode == 0
        answered = kill_postgres(at(events_settings, server), server, tmp_path / "log", KILLS)
    table.add(f"the same while PostgreSQL, or one of its processes, is killed {KILLS} times", counted(answered))


def test_the_disk_of_the_store_fills(events_settings: Settings, table: Table, tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("may not mount a small disk: user namespaces are off")
    tally, disk = Tally(), tmp_path / "disk"
    disk.mkdir()
    own = Settings.model_validate({**events_settings.model_dump(), "events_url": f"sqlite:///{disk}/events.db"})
    wrapper = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"', str(disk)]
    with service(own, tmp_path / "log", wrapper=wrapper) as (client, running), sending(ITEM) as clients:
        wait_until(serves(client, "1"))
        asking = Asking(client)
        asking.start()
        aim(clients, client)
        inside = Path(f"/proc/{running.pid}/root{disk}")
        for _ in range(3):
            wait_until(lambda: all(each.statuses[200] for each in clients))
            with contextlib.suppress(OSError):
                (inside / "filler").write_bytes(bytes(16 << 20))
            refused = statuses(clients)[503]
            wait_until(lambda refused=refused: statuses(clients)[503] > refused + 10)  # type: ignore[misc]
            tally.count(bool(assert_every_route_answers(client)), "not answered")
            (inside / "filler").unlink()
            answered = statuses(clients)[200]
            wait_until(lambda answered=answered: statuses(clients)[200] > answered + 2)  # type: ignore[misc]
        for each in clients:
            each.stopping.set()
            each.join()
        for status, _ in asking.stop():
            tally.count(status == 200, status)
        # SQLite would follow the link in /proc out of the small disk.
        for name in ("events.db", "events.db-wal"):
            shutil.copy(inside / name, tmp_path / name)
        missing, twice = missing_or_twice(clients, f"sqlite:///{tmp_path}/events.db")
        tally.count(not missing and not twice, f"{len(missing)} missing, {len(twice)} twice")
        tally.count(statuses(clients).keys() == {200, 503, 0}, statuses(clients))  # 0: before there was a service
    table.add(
        "recommendations and every GET route while the disk of the store is full, three times; its events and films",
        tally,
    )
