"""Asks the store which items rest for a person: those that were often on their screen, without a word about them."""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone

from anyio import CapacityLimiter, fail_after, to_thread
from prometheus_client import CollectorRegistry, Counter

from app.contract.events import is_storable
from app.contract.placement_rules import Rest
from app.events.store import EventStore, EventStoreError
from app.model.kept import KeptAMinute

PATIENCE_SECONDS = 0.5  # rather a list without the rule
PAUSE_SECONDS = 5.0  # after a failure nobody waits again
RestingItems = frozenset[str]  # ids
NOTHING: RestingItems = frozenset()

logger = logging.getLogger(__name__)


class Resting:
    """What rests for whom, kept for a minute; while the store does not answer nothing does."""

    def __init__(self, store: EventStore | None, collectors: CollectorRegistry) -> None:
        self._store = store
        self._kept = KeptAMinute[RestingItems]()
        self._one_thread = CapacityLimiter(1)
        self._silent_until = 0.0
        self._failures = Counter(
            "recommender_rest_failures", "Failed attempts to read what rests for people.", registry=collectors
        )

    def start(self) -> None:
        """Nothing runs before the first list with such a rule."""

    def stop(self) -> None:
        """Give the connection back."""
        if self._store is not None:
            self._store.close()

    async def of(self, user_ids: Iterable[str], rest: Rest | None) -> Mapping[str, RestingItems]:
        """The items that rest for each of these people; who is not named gets a list without the rule."""
        if rest is None or self._store is None:
            return {}
        # No impression can be of a user with another id.
        users = [each for each in dict.fromkeys(user_ids) if is_storable(each)]
        found = {each: kept for each in users if (kept := self._kept.get((each, rest))) is not None}
        missing = [each for each in users if each not in found]
        if not missing or time.monotonic() < self._silent_until:
            return found
        asked = await self._asked(self._store, missing, rest)
        if asked is not None:
            found |= {each: self._kept.put((each, rest), frozenset(asked.get(each, ()))) for each in missing}
        return found

    async def _asked(self, store: EventStore, users: list[str], rest: Rest) -> Mapping[str, list[str]] | None:
        since = (datetime.now(timezone.utc).date() - timedelta(days=rest.days - 1)).isoformat()
        try:
            with fail_after(PATIENCE_SECONDS):
                return await to_thread.run_sync(
                    store.resting, users, since, rest.shown, limiter=self._one_thread, abandon_on_cancel=True
                )
        except (EventStoreError, TimeoutError) as error:
            logger.warning("Lists are made without what rests: %s", error or "the store of events is late")
            self._failures.inc()
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            return None
