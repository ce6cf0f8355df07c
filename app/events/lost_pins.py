"""Counts the pins of placements that no list can have, each time Prometheus asks, so that no request does."""

import time
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.contract.placement import Placement
from app.events.placements import Placements
from app.model.store import ModelStore, ServedModel


class LostPins(Collector):
    """Pins whose time it is, and whose items the loaded version does not know or that are withdrawn, by placement."""

    def __init__(self, placements: Placements, store: ModelStore) -> None:
        self._placements, self._store = placements, store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One figure for each placement, 0 included; before the first version none."""
        lost = GaugeMetricFamily(
            "recommender_lost_pins",
            "Pins whose item is unknown or withdrawn, so lists go without.",
            labels=["placement"],
        )
        if (model := self._store.current) is not None:
            for name, placement in self._placements.current.items():
                lost.add_metric([name], _lost(model, placement))
        yield lost


def _lost(model: ServedModel, placement: Placement) -> int:
    recommender, now = model.recommender, time.time()
    rows = [recommender.item_row(pin.item_id) for pin in placement.pins if pin.is_due(now)]
    return sum(row is None or row in recommender.withdrawn for row in rows)
