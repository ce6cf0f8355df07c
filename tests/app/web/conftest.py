"""A service with films whose titles are hard to show, and screens of people who look at it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from app.contract.artifact import Artifact
from app.contract.catalogue import Catalogue
from app.contract.columns import Column
from app.settings import Settings
from tests.app.conftest import offline_settings
from tests.artifacts import Film, make_artifact, pack_films, write
from tests.browser import chromium
from tests.client import Client, put_in_cache, serving

PHONE, TABLET, DESK, WALL = 360, 768, 1400, 1920
SECONDS = 30_000  # in milliseconds, as Playwright counts; a busy machine is slow
expect.set_options(timeout=SECONDS)
ODD_TITLES = [
    "<img src=x onerror=alert(1)>",
    "</a><script>alert(1)</script>",
    "Amélie",
    "עץ לימון",
    "😀 The Emoji Movie 👩‍👩‍👧‍👦",
    "x" * 200,
    "javascript:alert(1)",
    "The word " * 22,
]
N_FILMS = 60
PICTURES = "https://pictures.invalid"
POLL = "document.dispatchEvent(new Event('visibilitychange'))"  # the page polls at once when it is looked at again


def make_catalogue() -> list[Film]:
    titles = [*ODD_TITLES, *(f"Film {number}" for number in range(len(ODD_TITLES) + 1, N_FILMS + 1))]
    genres = (["Comedy", "Drama"], ["Horror"], ["Comedy"], ["Film-Noir & <b>more</b>"])
    return [Film(title, 1950 + row, list(genres[row % len(genres)])) for row, title in enumerate(titles)]


def with_columns(films: list[Film]) -> Catalogue:
    """The catalogue of these films with a column of each other type; film n costs n / 2."""
    rows = range(len(films))
    columns = (
        Column("price", "number").filled(row / 2 + 0.5 for row in rows),
        Column("studio", "tag").filled(["Blue", None][row % 2] for row in rows),
        Column("on_loan", "flag").filled([True, False, None][row % 3] for row in rows),
        Column("since", "time").filled(row * 86_400 for row in rows),
        Column("plot", "text", filter=False).filled(f"<i>Plot {row + 1}</i>" for row in rows),
        Column("poster", "link", filter=False).filled(
            ["/web/icon.svg", f"{PICTURES}/{row}.png", None][row % 3] for row in rows
        ),
        Column("shop", "link", filter=False).filled(f"https://shop.example/{row}" for row in rows),
    )
    catalogue = pack_films(films)
    return replace(catalogue, columns=(*catalogue.columns, *columns))


def make_model(seed: int = 0) -> Artifact:
    """60 films; user 1 has seen 3 of them, 2 has seen 12, 3 has seen 57."""
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(size=(N_FILMS, 4)).astype(np.float32)
    seen = {0: [10, 11, 12], 1: list(range(20, 32)), 2: list(range(57))}
    return make_artifact(
        range(1, 5), range(1, N_FILMS + 1), dim=4, seed=seed, seen=seen, item_embeddings=embeddings, encoder=embeddings,
        catalogue=with_columns(make_catalogue()), item_biases=np.zeros(N_FILMS, dtype=np.float32),
    )  # fmt: skip


def make_service_settings(directory: Path, **changes: Any) -> Settings:
    """Settings of a service that has version 7."""
    settings = offline_settings(directory).model_copy(update=changes)
    put_in_cache(settings, write(directory / "served", make_model()), version="7")
    return settings


@dataclass(frozen=True)
class Screen:
    """A browser's page, and what it has complained about."""

    page: Page
    client: Client
    complaints: list[str]

    def open(self, address: str = "") -> None:
        """Open an address as somebody does who has got it from a colleague."""
        self.page.goto("about:blank")
        self.page.goto(f"http://127.0.0.1:{self.client.port}/{address}")

    def films(self, label: str = "Recommendations") -> Locator:
        """The films of a list."""
        return self.page.get_by_role("list", name=label, exact=True).locator("li")

    def titles(self, label: str = "Recommendations") -> list[str]:
        """The titles of a list that is there, without a change that is under way."""
        self.settle()
        return self.films(label).locator(".title").all_inner_texts()

    def settle(self) -> None:
        """Wait until no part of the page waits for an answer."""
        self.page.locator("main h1").wait_for()
        self.page.wait_for_function(
            "() => document.querySelector('.panel') && !document.querySelector('[aria-busy=true]')"
        )

    def ids(self, label: str = "Recommendations") -> list[int]:
        """The ids of a list's films."""
        self.settle()
        return [int(film.get_attribute("data-id") or 0) for film in self.films(label).all()]

    def violations(self) -> str:
        """What axe-core finds, as a text."""
        results = Axe().run(self.page)
        return results.generate_report() if results.violations_count else ""


OpenScreen = Callable[..., Screen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def open_screen(browser: Browser) -> Iterator[OpenScreen]:
    """Opens screens, each of somebody else; no script may fail and nothing may be refused by the browser's policy."""
    screens = []

    def make(client: Client, width: int = DESK, theme: Any = "light", language: str = "en-GB") -> Screen:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, locale=language, reduced_motion="reduce"
        )
        context.set_default_timeout(SECONDS)
        screen = Screen(context.new_page(), client, [])
        screen.page.on("pageerror", lambda error: screen.complaints.append(str(error)))
        screen.page.on("console", lambda message: screen.complaints.append(message.text))
        screens.append(screen)
        return screen

    yield make
    # Chromium also writes a line for each answer of an error, which tests ask for.
    complaints = [text for screen in screens for text in screen.complaints if "Failed to load resource" not in text]
    for screen in screens:
        screen.page.context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The service with these films; version 8 is loaded as its challenger."""
    directory = tmp_path_factory.mktemp("page")
    settings = make_service_settings(directory, trial_share=0, image_origins=PICTURES)
    challenger = settings.model_copy(update={"model_alias": "challenger"})
    put_in_cache(challenger, write(directory / "8", make_model(seed=8)), version="8")
    with serving(settings) as running:
        yield running


@pytest.fixture
def screen(open_screen: OpenScreen, client: Client) -> Screen:
    """Somebody at a desk."""
    return open_screen(client)
