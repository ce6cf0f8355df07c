"""Gives the current catalogue to the versions of one model store."""

import time
from collections import deque
from typing import NamedTuple

from app.events.catalogue_changes import CatalogueChanges
from app.events.crowds import Crowds
from app.events.overlay import Overlay
from app.events.trending import Trending
from app.model.revision import Revision
from app.model.store import ServedModel


class _Version(NamedTuple):
    """What a loaded version has become, and who likes what it has not learned."""

    revision: Revision
    crowds: Crowds


class LiveCatalogue:
    """The loaded version with all changes, and with what people say about items that it has not learned."""

    def __init__(self, changes: CatalogueChanges, overlay: Overlay, trending: Trending | None = None) -> None:
        """`trending` is told of each version before it answers, so that no request waits for it."""
        self._changes, self._overlay, self._trending = changes, overlay, trending
        self._version: _Version | None = None
        self._heard: deque[tuple[str, str | None]] = deque()
        changes.listeners.append(self._hear)

    def revised(self, model: ServedModel) -> ServedModel:
        """The version with the current catalogue; the same object where nothing has changed."""
        items = {item_id: change.document for item_id, change in self._changes.items.items()}
        version = self._version
        if version is None or version.revision.base is not model or version.crowds.store_id != self._overlay.store_id:
            version = self._version = _Version(Revision(model), Crowds(model, self._overlay))
            if self._trending is not None:
                self._trending.follow(model)
        revision, crowds = version
        heard = crowds.watch(revision.added(items))
        while self._heard:
            heard |= crowds.hear(*self._heard.popleft())
        try:
            return revision.revise(items, crowds.of, heard, time.time())
        except Exception:
            self._version = None  # it is half made; the next attempt begins anew
            raise

    def _hear(self, user_id: str, item_id: str | None) -> None:
        # A version that comes later is told all that the overlay holds.
        if self._version is not None:
            self._heard.append((user_id, item_id))

    def let_go(self) -> None:
        """Keep no version in memory."""
        self._version = None
        self._heard.clear()
