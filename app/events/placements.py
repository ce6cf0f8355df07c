"""What editors have decided of each placement, and what they had decided before, in the memory of every process."""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from app.contract.events import PLACEMENT
from app.contract.placement import Placement
from app.contract.placement_rules import Rest
from app.contract.placement_trial import Declared, PlacementTrial, changed, trials
from app.events.rows import StoredEvent

KEPT = 100  # changes of a placement that are kept to be listed

logger = logging.getLogger(__name__)


class PlacementChange(NamedTuple):
    """What a placement became, None if it was deleted, at a time in seconds since 1970, and by whom."""

    position: int
    name: str
    editor: str
    made_at: float
    placement: Placement | None


class Placements:
    """The changes of all placements in the order of positions.

    One thread, the feed, adds; readers in other threads need no lock, for what they read is replaced as a whole.
    """

    def __init__(self) -> None:
        self.history: Mapping[str, tuple[PlacementChange, ...]] = {}  # the latest last
        self.current: Mapping[str, Placement] = {}
        self.trials: Mapping[str, PlacementTrial] = {}  # that run, by the placement that is asked for
        self._declared: dict[str, Declared] = {}
        self._position = 0

    def last(self, name: str) -> PlacementChange | None:
        """The last change of a placement."""
        return self.history[name][-1] if name in self.history else None

    def is_for_the_route(self, name: str | None) -> bool:
        """Whether lists of a placement need more than its rules: what people were shown, or their arm in a trial."""
        return self.rest(name) is not None or name in self.trials

    def rest(self, name: str | None) -> Rest | None:
        """The rest of a placement, if there are both."""
        placement = None if name is None else self.current.get(name)
        return None if placement is None else placement.rest

    def restart(self) -> None:
        """Forget all: another store's are to come."""
        self.history, self.current, self.trials, self._declared, self._position = {}, {}, {}, {}, 0

    def add(self, events: Iterable[StoredEvent]) -> None:
        """Take in the changes among events, in the order of positions; events may come again."""
        for event in events:
            if event.type == PLACEMENT and event.position > self._position:
                self._position = event.position
                self._take(event)

    def _take(self, event: StoredEvent) -> None:
        name = str(event.item_id)
        try:
            placement = Placement.read(event.body or "")
        except ValueError as error:  # a newer release may have written it
            logger.warning("The placement at position %d can't be read: %s", event.position, error)
            return
        change = PlacementChange(event.position, name, event.user_id, event.received_at, placement)
        self.history = {**self.history, name: (*self.history.get(name, ()), change)[-KEPT:]}
        self._declared = changed(self._declared, name, placement, event.received_at, event.event_id)
        self.current = {each: declared.placement for each, declared in self._declared.items()}
        self.trials = trials(self._declared)
