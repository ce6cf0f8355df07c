"""A person promotes a version in MLflow's own web page, and the running service follows."""

import re
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.artifacts import make_artifact, write
from tests.browser import CHROMIUM, OPTIONS
from tests.conftest import MakeSettings
from tests.processes import wait_until
from tests.registry import TestRegistry
from tests.service import Asking, changes, serves, service

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.skipif(mlflow.__version__.startswith("2."), reason="written for the page of MLflow 3"),
]


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            yield browser.new_page(viewport={"width": 1400, "height": 900})
        finally:
            browser.close()


def give_alias(page: Page, registry: TestRegistry, version: str, alias: str) -> None:
    """Click and type as a person does on the page of the model."""
    page.goto(f"{registry.uri}/#/models/{registry.name}")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=f"Version {version}", exact=True))
    row.locator("[data-component-id*='aliasescell']").first.click(timeout=60_000)
    dialog = page.get_by_role("dialog").filter(has_text=re.compile("alias", re.IGNORECASE))
    dialog.get_by_role("combobox").click()
    page.keyboard.type(alias)
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Save aliases").click()
    dialog.wait_for(state="hidden")


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
            give_alias(page, registry, "2", "Production")
            wait_until(serves(client, "2"))
            answered_by_2 = len(asking.answers)
            wait_until(lambda: len(asking.answers) > answered_by_2 + 10)
        finally:
            answered = asking.stop()
    assert {status for status, _ in answered} == {200}
    assert changes(answered) == ["2"]
    assert registry.client.get_registered_model(registry.name).aliases["production"] == "2"
