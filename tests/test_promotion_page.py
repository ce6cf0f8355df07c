"""A person promotes a version in MLflow's own web page, and the running service follows."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from playwright.sync_api import Page

from tests.artifacts import make_artifact, write
from tests.browser import CHROMIUM, browser_page, open_model, save_aliases, type_alias
from tests.conftest import MakeSettings
from tests.processes import wait_until
from tests.registry import TestRegistry
from tests.service import Asking, changes, serves, service

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.skipif(mlflow.__version__.startswith("2."), reason="written for the page of MLflow 3"),
]


@pytest.fixture
def page() -> Iterator[Page]:
    with browser_page() as opened:
        yield opened


# Written "Production" by a program, the alias stays where it is when the page sets "production".
@pytest.mark.parametrize("before", ["production", "Production"])
def test_clicking_the_alias_onto_version_2_has_it_served_without_a_failed_request(
    page: Page, registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path, before: str
) -> None:
    registry.register(alias=before)
    registry.register(write(tmp_path / "2", make_artifact(seed=2)))
    with service(make_settings(registry), tmp_path / "log") as (client, _):
        wait_until(serves(client, "1"))
        asking = Asking(client)
        asking.start()
        try:
            open_model(page, registry.uri, registry.name)
            save_aliases(type_alias(page, "2", "Production"))
            wait_until(serves(client, "2"))
            answered_by_2 = len(asking.answers)
            wait_until(lambda: len(asking.answers) > answered_by_2 + 10)
        finally:
            answered = asking.stop()
    assert {status for status, _ in answered} == {200}
    assert changes(answered) == ["2"]
    assert registry.client.get_registered_model(registry.name).aliases["production"] == "2"
