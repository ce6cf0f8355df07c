import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from app.contract.trial import MOST_LISTS, Arm
from app.events import exposures as module
from app.events import flushed
from app.events.exposures import ExposureMetrics, Exposures, Tally
from app.events.rows import Exposure
from app.events.store import EventStoreError
from tests.app.events.test_store import Open
from tests.app.events.test_store import opened as opened
from tests.metrics import collected
from tests.processes import wait_until

TRIAL = "films:7@0.5"


class Store:
    """Keeps exposures in a list, or is down."""

    def __init__(self) -> None:
        self.rows: list[Exposure] = []
        self.is_down = self.is_closed = False
        self.answers = threading.Event()
        self.answers.set()

    def add(self, exposures: Sequence[Exposure]) -> None:
        self.answers.wait()
        if self.is_down:
            raise EventStoreError("the store is down")
        self.rows += exposures

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def collectors() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def exposures(store: Store, collectors: CollectorRegistry) -> Exposures:
    return Exposures(store, ExposureMetrics(collectors))  # type: ignore[arg-type]


@pytest.fixture
def challenger(exposures: Exposures) -> Tally:
    return exposures.tally(TRIAL, Arm.CHALLENGER, "7")


@pytest.fixture
def production(exposures: Exposures) -> Tally:
    return exposures.tally(TRIAL, Arm.PRODUCTION, "5")


def today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


def test_an_arm_has_one_tally_however_often_its_version_is_loaded(exposures: Exposures, challenger: Tally) -> None:
    assert exposures.tally(TRIAL, Arm.CHALLENGER, "7") is challenger
    assert exposures.tally(TRIAL, Arm.CHALLENGER, "8") is not challenger


def test_lists_of_a_user_and_arm_are_summed_to_a_row(
    exposures: Exposures, store: Store, challenger: Tally, production: Tally
) -> None:
    for films in (10, 10, 3):
        challenger.add("ann", films)
    production.add("bob", 10)
    exposures.tally("films:7@0.9", Arm.CHALLENGER, "7").add("ann", 10)
    exposures.flush()
    assert store.rows == [
        Exposure(today(), "ann", TRIAL, 1, "7", lists=3, films=23),
        Exposure(today(), "bob", TRIAL, 0, "5", lists=1, films=10),
        Exposure(today(), "ann", "films:7@0.9", 1, "7", lists=1, films=10),
    ]
    exposures.flush()
    assert len(store.rows) == 3


def test_of_a_user_and_day_ten_lists_are_stored_however_many_are_asked_for(
    exposures: Exposures, store: Store, challenger: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(times: int) -> None:
        for _ in range(times):
            challenger.add("ann", 10)
            exposures.flush()

    ask(50)
    assert sum(row.lists for row in store.rows) == len(store.rows) == MOST_LISTS
    assert exposures.totals(TRIAL)["challenger"] == 50
    monkeypatch.setattr(challenger, "_day", "2026-11-01")  # it is another day
    ask(1)
    assert len(store.rows) == MOST_LISTS + 1


def test_while_the_store_is_down_sums_wait_and_one_line_says_so(
    exposures: Exposures,
    store: Store,
    challenger: Tally,
    collectors: CollectorRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store.is_down = True
    for _ in range(3):
        challenger.add("ann", 10)
        exposures.flush()
    assert caplog.text.count("Exposures wait for the store: the store is down") == 1
    assert collected(collectors)["recommender_exposure_failures_total"] == 3
    assert collected(collectors)["recommender_arm_lists_total{arm=challenger,placement=}"] == 0
    store.is_down = False
    exposures.flush()
    assert [row.lists for row in store.rows] == [3]
    assert collected(collectors)["recommender_arm_lists_total{arm=challenger,placement=}"] == 3
    exposures.fell_back(TRIAL)
    assert exposures.totals(TRIAL) == {"production": 0, "challenger": 3, "fallback": 1}
    store.is_down = True
    challenger.add("ann", 10)
    exposures.flush()
    assert caplog.text.count("Exposures wait for the store: the store is down") == 2  # another outage
    assert exposures.totals("another") == {"production": 0, "challenger": 0, "fallback": 0}


def test_a_long_outage_costs_no_more_memory(
    exposures: Exposures,
    store: Store,
    challenger: Tally,
    production: Tally,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 5)
    store.is_down = True
    for number in range(8):
        challenger.add(str(number), 10)
    exposures.flush()
    assert "The exposures of 8 users and lengths of lists are lost" in caplog.text
    store.is_down = False
    production.add("bob", 10)
    exposures.flush()
    assert [row.user_id for row in store.rows] == ["bob"]


def test_what_is_put_back_adds_to_what_came_since_up_to_a_limit(
    challenger: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    for user in ("ann", "bob"):
        challenger.add(user, 10)
    taken = challenger.take()
    challenger.add("ann", 10)
    assert challenger.put_back(taken)
    assert challenger.take() == {("ann", 10): 2, ("bob", 10): 1}
    for user in ("ann", "cid"):
        challenger.add(user, 10)
    assert not challenger.put_back(taken)
    assert challenger.take() == {("ann", 10): 1, ("cid", 10): 1}


def test_a_store_that_hangs_is_not_waited_for_at_the_end(
    exposures: Exposures, store: Store, challenger: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushed, "STOP_SECONDS", 0.05)
    store.answers.clear()
    challenger.add("ann", 10)
    exposures.start()
    exposures.stop()
    assert not store.rows
    assert exposures._thread.daemon  # else the process would wait for it
    store.answers.set()
    wait_until(lambda: store.is_closed)
    assert [row.user_id for row in store.rows] == ["ann"]


def test_many_threads_lose_nothing(exposures: Exposures, store: Store, challenger: Tally) -> None:
    def add_many() -> None:
        for _ in range(5000):
            challenger.add("ann", 10)

    threads = [threading.Thread(target=add_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        exposures.flush()
    exposures.flush()
    assert exposures.totals(TRIAL)["challenger"] == 20_000


@pytest.fixture
def running(exposures: Exposures, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exposures]:
    monkeypatch.setattr(flushed, "FLUSH_SECONDS", 0.02)
    exposures.start()
    yield exposures
    exposures.stop()


def test_sums_are_stored_now_and_then_and_at_the_end(
    running: Exposures, store: Store, challenger: Tally, production: Tally
) -> None:
    challenger.add("ann", 10)
    wait_until(lambda: len(store.rows) == 1)
    production.add("bob", 10)
    running.stop()
    assert [row.user_id for row in store.rows] == ["ann", "bob"]
    assert store.is_closed


def test_a_bug_does_not_end_the_thread(
    running: Exposures,
    store: Store,
    challenger: Tally,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Tally, "rows", lambda *_: 1 / 0)
        challenger.add("ann", 10)
        wait_until(lambda: "Exposures could not be stored" in caplog.text)
    challenger.add("bob", 10)
    wait_until(lambda: [row.user_id for row in store.rows] == ["bob"])


def test_a_store_keeps_what_it_is_given(opened: Open, tmp_path: Path) -> None:
    rows = [
        Exposure("2026-11-28", "日本", "films:7@0.5", 1, "7", lists=3, films=23),
        Exposure("2026-11-28", "ann", "films:7@0.5", 0, "5", lists=1, films=0),
    ]
    store = opened()
    store.add(rows)
    store.add([])
    store.add(rows[:1])  # what is appended again adds up
    with pytest.raises(EventStoreError, match=r"(?i)check"):
        store.add([rows[0], Exposure("2026-11-28", "x" * 201, "e", 0, "5", lists=1, films=1)])
    assert store.latest() == 0  # no positions
