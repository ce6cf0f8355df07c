"""A headless Chromium, where there is one, and what a person does with it on MLflow's page."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Root, as in a container, may not use the sandbox; the rest keeps the browser to this one page.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A new browser. Playwright can start only one at a time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def browser_page(width: int = 1400, height: int = 900) -> Iterator[Page]:
    """An empty page of a new browser."""
    with chromium() as browser:
        yield browser.new_page(viewport={"width": width, "height": height})


def open_model(page: Page, mlflow: str, name: str) -> None:
    """Open the page of a registered model and wait for its versions."""
    page.goto(f"{mlflow}/#/models/{name}")
    page.get_by_role("link", name=re.compile("Version \\d+")).first.wait_for(timeout=60_000)


def type_alias(page: Page, version: str, alias: str) -> Locator:
    """Open the alias editor of a version on the model's page and type an alias; the editor, not saved yet."""
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=f"Version {version}", exact=True))
    row.locator("[data-component-id*='aliasescell']").first.click(timeout=60_000)
    dialog = page.get_by_role("dialog").filter(has_text=re.compile("alias", re.IGNORECASE))
    dialog.get_by_role("combobox").click()
    page.keyboard.type(alias)
    page.keyboard.press("Enter")
    return dialog


def save_aliases(dialog: Locator) -> None:
    """Save what the alias editor holds."""
    dialog.get_by_role("button", name="Save aliases").click()
    dialog.wait_for(state="hidden")
