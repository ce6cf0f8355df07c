"""What is kept of changes costs bounded memory."""

import json

from app.contract.events import CHANGE
from app.events.catalogue_changes import RECENT, RECENT_BYTES, CatalogueChanges
from app.events.rows import StoredEvent


def change(position: int, characters: int) -> StoredEvent:
    body = json.dumps({"title": "Paths of Glory", "text": "x" * characters})
    return StoredEvent("", "ann", "10", CHANGE, None, 0, body=body, position=position, received_at=0)


def test_as_many_changes_are_listed_as_fit() -> None:
    changes = CatalogueChanges()
    changes.add(change(position, 0) for position in range(1, RECENT + 10))
    assert [each.position for each in changes.recent] == list(range(10, RECENT + 10))
    changes.add(change(RECENT + 10 + number, RECENT_BYTES // 4) for number in range(5))
    assert [each.position for each in changes.recent] == [RECENT + 12, RECENT + 13, RECENT + 14]
    changes.restart()
    changes.add([change(1, 0)])
    assert [each.position for each in changes.recent] == [1]
    assert changes.items["10"] == changes.recent[-1]
