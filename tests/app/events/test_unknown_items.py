import pytest

from app.events import unknown_items
from app.events.unknown_items import UnknownItems
from tests.app.events.stories import said, stored


def test_there_is_room_for_some_events_of_an_item_and_for_some_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_items, "PER_ITEM", 2)
    monkeypatch.setattr(unknown_items, "ITEMS", 2)
    known = {"1"}
    kept = UnknownItems()

    def takes(item_id: str) -> bool:
        return kept.take(item_id, known.__contains__)

    kept.add(stored(*(said("ann", "like", item) for item in ("1", "1", "1", "8", "8", "9"))))
    assert [takes(each) for each in ("8", "9", "10")] == [False, True, False]
    known.add("8")  # it has come, and makes room
    assert takes("10")
    kept.restart()
    assert takes("8")
