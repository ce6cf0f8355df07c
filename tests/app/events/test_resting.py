"""What rests for people while the store does not answer."""

import asyncio
import logging
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from app.contract.placement_rules import Rest
from app.events.resting import Resting
from app.events.sqlite_store import SqliteStore
from tests.metrics import collected


def test_without_the_store_nothing_rests_and_nobody_waits_for_it_again_soon(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    collectors = CollectorRegistry()
    resting = Resting(SqliteStore(tmp_path), collectors)  # a folder can't be opened

    async def ask() -> None:
        for _ in range(3):
            assert await resting.of(["ann", "x" * 1000, "\0"], Rest(5, 7)) == {}

    with caplog.at_level(logging.WARNING):
        asyncio.run(ask())
    assert caplog.text.count("Lists are made without what rests: The events in") == 1
    assert collected(collectors)["recommender_rest_failures_total"] == 1
