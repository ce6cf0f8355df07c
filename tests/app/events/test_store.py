"""What every store of events does."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.contract.events import Event
from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.store import EventStore, EventStoreError

NOW = 1_700_000_000.25
Open = Callable[[], EventStore]


def event(user: str = "42", item: str | None = "1", **fields: object) -> Event:
    values = {"event_id": str(uuid4()), "type": "like", "value": None, "occurred_at": NOW, **fields}
    return Event(user_id=user, item_id=item, **values)  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store, again and again."""
    stores: list[EventStore] = []
    url = f"sqlite:///{tmp_path}/events of all.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("events_database").url("events_service")

    def again() -> EventStore:
        stores.append(open_store(StoreAddress(url)))
        return stores[-1]

    yield again
    for each in stores:
        each.close()


def test_events_are_read_as_they_were_appended(opened: Open) -> None:
    events = [
        event("a/b", "日本", type="rating", value=4.7, occurred_at=NOW - 5.125, recommendation_id="x" * 64),
        event("😀" * 200, "1"),
        event("42", None, type="forget"),
        event(type="play", value=0.5),
        event(type="play", value=-30.0),
    ]
    appended = opened().append(events, NOW)
    stored = opened().read_after(0, 10)
    assert [Event(*(getattr(each, name) for name in Event.__slots__)) for each in stored] == events
    assert [each.position for each in stored] == appended.positions
    assert {each.received_at for each in stored} == {NOW}
    assert appended.last == stored[-1].position == opened().latest()


def test_an_event_that_is_there_already_is_not_stored_again(opened: Open) -> None:
    store, first, second = opened(), event(), event()
    assert store.append([first, first], NOW).positions == [1, None]
    again = store.append([first, second, first], NOW)
    assert again.positions[0] is again.positions[2] is None
    assert again.positions[1] == again.last
    assert store.append([first], NOW).last == again.last
    assert len(store.read_after(0, 10)) == 2


def test_nothing_to_append_says_where_the_store_is(opened: Open) -> None:
    store = opened()
    assert (store.append([], NOW).last, store.latest(), store.read_after(0, 10)) == (0, 0, [])
    store.append([event()], NOW)
    assert store.append([], NOW).last == 1


def test_a_page_begins_after_a_position_and_ends_at_the_limit(opened: Open) -> None:
    store = opened()
    positions = store.append([event(item=str(item)) for item in range(1, 8)], NOW).positions
    page = store.read_after(positions[2] or 0, 3)
    assert [each.item_id for each in page] == ["4", "5", "6"]
    assert store.read_after(store.latest(), 3) == []


@pytest.mark.parametrize(
    "bad",
    [
        event(user=""),
        event(item="x" * 201),
        event(type="rating", value=0.4),
        event(type="rating", value=None),
        event(type="rating", value=5.5),
        event(item=None),
        event(type="forget"),
        event(recommendation_id="x" * 65),
    ],
)
def test_an_event_that_breaks_a_rule_is_refused_with_all_that_came_with_it(bad: Event, opened: Open) -> None:
    store = opened()
    with pytest.raises(EventStoreError, match=r"(?i)check"):
        store.append([event(), bad], NOW)
    assert store.read_after(0, 10) == []
    store.append([event()], NOW)
    assert len(store.read_after(0, 10)) == 1


def test_all_that_open_a_store_see_the_same_id(opened: Open) -> None:
    one, other = opened(), opened()
    assert one.id == other.id == str(UUID(one.id))


def test_waiting_ends_when_another_one_appends(opened: Open) -> None:
    reader, writer = opened(), opened()
    writer.append([event()], NOW)
    reader.wait(0.1)
    reader.read_after(0, 10)
    assert reader.wait(0.05) is False
    later = threading.Timer(0.2, lambda: writer.append([event()], NOW))
    later.start()
    started = time.monotonic()
    assert reader.wait(10) is True
    assert time.monotonic() - started < 5
    later.join()


def test_positions_become_visible_in_their_order_however_many_write(opened: Open) -> None:
    writers, n_batches = 4, 25

    def write() -> None:
        store = opened()
        for _ in range(n_batches):
            store.append([event(), event()], NOW)

    threads = [threading.Thread(target=write) for _ in range(writers)]
    reader, seen, position = opened(), 0, 0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or reader.latest() > position:
        for stored in reader.read_after(position, 1000):
            seen, position = seen + 1, stored.position
    assert seen == writers * n_batches * 2


def test_a_closed_store_opens_again_at_its_next_use(opened: Open) -> None:
    store = opened()
    store.append([event()], NOW)
    store.close()
    store.close()
    assert store.latest() == 1
