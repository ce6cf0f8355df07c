import random
import sys
import tracemalloc

import pytest

from app.contract.events import Event
from app.events import overlay as overlay_module
from app.events.overlay import PER_USER, Overlay
from app.events.packed_events import NO_ITEM, PACKED
from tests.app.events.stories import said, stored


def read(overlay: Overlay, user: str) -> list[tuple[int, str, str]]:
    """Position, type and item of a user's events."""
    return [
        (one.position, one.type, "" if one.item == NO_ITEM else overlay.packing.item_ids[one.item])
        for one in overlay.packing.unpacked(overlay.users[user])
    ]


def test_events_are_read_as_they_were_said() -> None:
    overlay = Overlay()
    overlay.add(stored(said("a", "rating", "x", 3.7), said("b", "like", "日本"), said("a", "hide", "y")))
    assert read(overlay, "a") == [(1, "rating", "x"), (3, "hide", "y")]
    assert [one.value for one in overlay.packing.unpacked(overlay.users["a"])] == [3.7, None]
    assert read(overlay, "b") == [(2, "like", "日本")]
    assert overlay.users.keys() == {"a", "b"}


def test_the_order_of_adding_makes_no_difference_and_neither_does_adding_twice() -> None:
    rng = random.Random(1)  # noqa: S311 - no secret
    events = list(stored(*(any_event(rng) for _ in range(600))))
    in_order, shuffled = Overlay(), Overlay()
    in_order.add(events)
    twice = events * 2
    rng.shuffle(twice)
    for start in range(0, len(twice), 7):
        shuffled.add(twice[start : start + 7])
    assert in_order.users.keys() == shuffled.users.keys()
    for user in in_order.users:
        assert counted(read(in_order, user)) == counted(read(shuffled, user))


def any_event(rng: random.Random) -> Event:
    if rng.random() < 0.02:
        return said(rng.randrange(3), "forget")
    return said(rng.randrange(3), rng.choice(["like", "hide", "retract", "watch"]), rng.randrange(30))


def counted(events: list[tuple[int, str, str]]) -> dict[str, tuple[int, str]]:
    """The last event about each item after the last wish to be forgotten."""
    last: dict[str, tuple[int, str]] = {}
    for position, event_type, item in events:
        if event_type == "forget":
            last.clear()
        last[item] = position, event_type
    return last


def test_a_wish_to_be_forgotten_drops_what_was_said_before() -> None:
    overlay = Overlay()
    overlay.add(stored(said("a", "like", "x"), said("a", "forget"), said("a", "like", "y")))
    assert read(overlay, "a") == [(2, "forget", ""), (3, "like", "y")]
    assert all("x" not in item for _, _, item in read(overlay, "a"))


def test_somebody_who_says_the_same_without_end_takes_bounded_memory() -> None:
    overlay = Overlay()
    for start in range(0, 10_000, 10):
        overlay.add(stored(*(said("a", "like", n % 5) for n in range(10)), first=start))
    assert len(overlay.packing.unpacked(overlay.users["a"])) < 80


def test_a_full_overlay_takes_no_more_but_wishes_to_be_forgotten_until_models_have_learned(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(overlay_module, "MOST_BYTES", 10 * (PER_USER + sys.getsizeof("10") + PACKED.size) - 10)
    overlay = Overlay()
    for user in range(30):
        overlay.add(stored(said(user, "like", 1), first=user + 1))
    assert len(overlay.users) == 10
    overlay.add(stored(said(3, "forget"), said(20, "forget"), first=31))
    assert [[type_ for _, type_, _ in read(overlay, user)] for user in ("3", "20")] == [["forget"]] * 2
    assert caplog.text.count("The overlay is full") == 1
    overlay.drop_until(5)
    assert "answers know nothing of 20 events before" in caplog.text
    overlay.add(stored(said(40, "like", 1), first=33))
    assert "40" in overlay.users
    overlay.restart("another")
    for user in range(10):
        overlay.add(stored(said(user, "like", 1), first=user + 1))
    assert len(overlay.users) == 10


@pytest.mark.long
@pytest.mark.parametrize("ending", [pytest.param("", marks=pytest.mark.long), "\N{GRINNING FACE}" * 190])
def test_users_take_no_more_than_is_counted(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    monkeypatch.setattr(overlay_module, "MOST_BYTES", 1_000_000)
    overlay = Overlay()
    tracemalloc.start()
    for user in range(6000):
        overlay.add(stored(said(f"{user}{ending}", "like", 1)))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(overlay.users) < 6000
    assert 700_000 < taken < 1_010_000


@pytest.mark.parametrize(("until", "left"), [(0, {"a", "b"}), (1, {"a", "b"}), (2, {"a"}), (3, set())])
def test_what_every_model_has_learned_is_dropped(until: int, left: set[str]) -> None:
    overlay = Overlay()
    overlay.add(stored(said("a", "like", "x"), said("b", "like", "x"), said("a", "like", "y")))
    overlay.drop_until(until)
    assert overlay.users.keys() == left
    assert all(one.position > until for packed in overlay.users.values() for one in overlay.packing.unpacked(packed))


@pytest.mark.long
def test_100_000_users_with_20_events_each_take_at_most_150_mb() -> None:
    overlay, users, share = Overlay(), 100_000, 100
    tracemalloc.start()
    for event in range(20):
        for start in range(0, users // share, 500):
            batch = (said(f"user {user}", "like", (user + event) % 5000) for user in range(start, start + 500))
            overlay.add(stored(*batch, first=1 + event * users + start))
    taken = tracemalloc.get_traced_memory()[0] * share
    tracemalloc.stop()
    assert len(overlay.users) == users // share
    assert taken < 150e6
