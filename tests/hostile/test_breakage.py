"""What breaks around the service: files under it, its process, its disk, its descriptors, its clock."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from itertools import count
from pathlib import Path

import pytest

from app.contract.artifact_directory import content_hash
from app.model.registered_version import RegisteredVersion
from app.model.store import load_model
from app.registry.cache import ModelCache
from app.settings import Settings
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.every_route import EDITOR, assert_every_route_answers
from tests.hostile.conftest import SEED, Connection, Table, Tally
from tests.metrics import samples
from tests.processes import free_port, process, wait_until
from tests.registry import TestRegistry
from tests.service import COMMAND, Asking, environment, service

pytestmark = pytest.mark.hostile

SWAPS, KILLS, CLIENTS = 60, 25, 4
K = 5
PATH = f"/users/1/recommendations?k={K}"
JSON, YEAR = {**EDITOR, "Content-Type": "application/json"}, b'{"year": 1957}'
IDLE = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"


class Editing(threading.Thread):
    """Withdraws a film and brings it back, again and again."""

    def __init__(self, client: Client, item: int, tally: Tally) -> None:
        super().__init__()
        self.stopping = threading.Event()
        self.item = item
        self.is_withdrawn: bool | None = False  # None while it changes
        self._connection, self._tally = Connection(client.port), tally

    def run(self) -> None:
        """Go on until it is stopped."""
        for number in count(1):
            body = json.dumps({"withdrawn": number % 2 == 1}).encode()
            self.is_withdrawn = None
            status, answer = self._connection.ask(f"/items/{self.item}", body, "PATCH", EDITOR)
            self.is_withdrawn = number % 2 == 1
            self._tally.count(status == 200, answer)
            if self.stopping.wait(0.05):
                break
        self._connection.close()


class Checking(threading.Thread):
    """Asks, and compares each answer with what its version answers, with the film of an editor and without."""

    def __init__(self, client: Client, expected: dict[str, list[int]], editing: Editing, tally: Tally) -> None:
        super().__init__()
        self.stopping = threading.Event()
        self._connection, self._expected, self._editing, self._tally = Connection(client.port), expected, editing, tally

    def run(self) -> None:
        """Ask until it is stopped."""
        while not self.stopping.is_set():
            before = self._editing.is_withdrawn
            status, body = self._connection.ask(PATH)
            is_withdrawn = before if before is self._editing.is_withdrawn else None
            answer = json.loads(body)
            items = [item["id"] for item in answer.get("items", ())]
            known = self._expected[answer["model_version"]]
            without = [item for item in known if item != self._editing.item]
            allowed = [known[:K]] * (is_withdrawn is not True) + [without[:K]] * (is_withdrawn is not False)
            self._tally.count(status == 200 and items in allowed, (is_withdrawn, status, body))
        self._connection.close()


def test_swaps_under_load(make_settings: MakeSettings, table: Table, tmp_path: Path) -> None:
    """A folder is overwritten file by file while clients ask, and a film comes and goes."""
    tally, expected = Tally(), dict[str, list[int]]()
    folder, sources = tmp_path / "served", [write(tmp_path / str(seed), make_artifact(seed=seed)) for seed in range(5)]
    for source in sources:
        top = load_model(source, RegisteredVersion("1", 0, "")).recommender.top
        model = load_model(source, RegisteredVersion("1", 0, ""))
        rows = top(model.recommender.user_vector(0), K + 1, model.recommender.seen(0)).items[0]
        expected[content_hash(source)[:12]] = model.artifact.item_ids[rows].tolist()
    shutil.copytree(sources[0], folder)
    settings = make_settings(
        model_dir=folder, events_url=f"sqlite:///{tmp_path}/events.db", catalogue_keys="ann:a", log_level="WARNING"
    )
    with service(settings, tmp_path / "log") as (client, _):
        wait_until(lambda: client.version() is not None)
        editing = Editing(client, next(iter(expected.values()))[0], tally)
        asking: list[Checking | Editing] = [
            *(Checking(client, expected, editing, tally) for _ in range(CLIENTS)),
            editing,
        ]
        for each in asking:
            each.start()
        for number in range(1, SWAPS + 1):
            source = sources[number % len(sources)]
            for path in source.iterdir():
                shutil.copyfile(path, folder / path.name)
                time.sleep(0.005)
            version = content_hash(source)[:12]
            wait_until(lambda version=version: client.version() == version)  # type: ignore[misc]
        for each in asking:
            each.stopping.set()
            each.join()
    table.add(
        f"answers of {CLIENTS} clients during {SWAPS} swaps and as many changes of a film, each as its version answers",
        tally,
    )


def test_kill_9_at_any_moment(
    registry: TestRegistry, make_settings: MakeSettings, table: Table, tmp_path: Path
) -> None:
    """The process dies while it starts, downloads or writes its cache; what is left starts without the registry."""
    random_, tally = random.Random(SEED), Tally()
    for seed in range(4):
        registry.register(write(tmp_path / str(seed), make_artifact(item_ids=range(20_000), seed=seed)))
    registry.move("production", "1")
    settings = make_settings(registry, log_level="WARNING")
    with service(settings, tmp_path / "log") as (client, _):
        wait_until(lambda: client.version() == "1")  # or a busy machine has nothing in its cache at the end
    for _ in range(KILLS):
        registry.move("production", str(random_.randint(1, 4)))
        with process([*COMMAND, "--port", str(free_port())], environment(settings), tmp_path / "log") as running:
            time.sleep(random_.uniform(0.8, 2.5))
            os.killpg(running.pid, signal.SIGKILL)
        tally.count(*cache_is_whole(settings))
    offline = settings.model_copy(update={"mlflow_tracking_uri": f"http://127.0.0.1:{free_port()}"})
    with service(offline, tmp_path / "log") as (client, _):
        tally.count(client.get(PATH).status == 200, "no answer without the registry")
    table.add("kill -9 while starting, downloading, writing the cache: the cache is whole", tally)


def cache_is_whole(settings: Settings) -> tuple[bool, str]:
    try:
        for entry in ModelCache(settings).entries():
            load_model(entry.directory, entry.registered)
    except Exception as error:
        return False, str(error)
    return True, ""


def test_a_disk_that_fills(registry: TestRegistry, make_settings: MakeSettings, table: Table, tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("may not mount a small disk: user namespaces are off")
    tally, disk = Tally(), tmp_path / "disk"
    disk.mkdir()
    registry.register(alias="production")
    settings = make_settings(registry, model_cache_dir=disk, log_level="WARNING")
    wrapper = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"', str(disk)]
    with service(settings, tmp_path / "log", wrapper=wrapper) as (client, running):
        wait_until(lambda: client.version() == "1")
        filler = Path(f"/proc/{running.pid}/root{disk}") / "filler"
        for number, left in enumerate((0, 1000, 5000, 20_000, 100_000), start=2):
            with contextlib.suppress(OSError):
                filler.write_bytes(b"\0" * (2_000_000 - left))
            artifact = write(tmp_path / str(number), make_artifact(item_ids=range(2000), seed=number))
            registry.register(artifact, alias="production")
            wait_until(lambda: client.get("/model").json["registry"]["status"] == "download_failed")
            message = client.get("/model").json["last_problem"]["message"]
            tally.count("MODEL_CACHE_DIR" in message, message)
            tally.count(client.get(PATH).status == 200, "not answered")
            tally.count(bool(assert_every_route_answers(client)), "not answered")
            filler.unlink()
            wait_until(lambda number=number: client.version() == str(number))  # type: ignore[misc]
            with contextlib.suppress(TimeoutError):
                wait_until(lambda: client.get("/model").json["registry"]["status"] == "ok")
            tally.count(client.get("/model").json["registry"]["status"] == "ok", "not well again")
    table.add("a full disk: what is said, what is answered, whether all is well again", tally)


def test_few_descriptors(settings: Settings, table: Table, tmp_path: Path) -> None:
    tally, few = Tally(), ["sh", "-c", 'ulimit -n 200 && exec "$@"', "sh"]
    fields = {"model_cache_dir": tmp_path / "cache", "events_url": f"sqlite:///{tmp_path}/events.db"}
    own = Settings.model_validate({**settings.model_dump(), **fields})
    put_in_cache(own, write(tmp_path / "served"))
    with service(own, tmp_path / "log", wrapper=few) as (client, _):
        for sent in (b"", b"GET /", IDLE, b"GET /", IDLE):
            with contextlib.ExitStack() as stack:
                for _ in range(300):
                    each = stack.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=10))
                    each.sendall(sent)
                for _ in range(10):
                    tally.count(client.get(PATH).status == 200, "a new connection is refused")
                    tally.count(client.get("/items/10", "PATCH", JSON, YEAR).status == 200, "no film is changed")
                    time.sleep(0.1)
                tally.count(bool(assert_every_route_answers(client)), "not answered")
            asking = Asking(client)
            asking.start()
            time.sleep(1)
            for status, _ in asking.stop():
                tally.count(status == 200, status)
    log = (tmp_path / "log").read_text()
    tally.count("Traceback" not in log and len(log.splitlines()) < 40, f"{len(log.splitlines())} {log[-2000:]}")
    table.add(
        "answers beside and after 300 connections, idle or half a request, with 200 descriptors, five times; the log",
        tally,
    )


@pytest.mark.parametrize("created", [-4_000_000_000_000, 0, 4_000_000_000_000])
def test_wrong_clocks(make_settings: MakeSettings, table: Table, tmp_path: Path, created: int) -> None:
    """A version that was registered in 1843, 1970 or 2096 is served, and its age is a number."""
    tally, settings = Tally(), make_settings(log_level="WARNING")
    cache = ModelCache(settings)
    artifact = write(tmp_path / "served")
    with cache.download_directory():
        cache.add(RegisteredVersion("1", created, ""), artifact, content_hash(artifact))
    with serving(settings) as client:
        answer = client.get("/metrics")
        age = samples(answer.body.decode())["recommender_model_age_seconds{version=1}"]
        tally.count(abs(age - (time.time() - created / 1000)) < 5, age)
        tally.count(client.get(PATH).status == 200, "not answered")
        tally.count(bool(assert_every_route_answers(client)), "not answered")
    table.add(f"a version registered at {created} ms", tally)
