"""The page for everybody: by keyboard, on a phone, in the dark, in French, and as axe-core reads it."""

import re

import pytest
from playwright.sync_api import expect

from app.routes.page import FOLDER
from tests.app.web.conftest import DESK, PHONE, TABLET, WALL, OpenScreen, Screen
from tests.browser import CHROMIUM
from tests.client import Client

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

ADDRESSES = [
    "#user?id=2", "#user?id=nobody&from.year=2050", "#new", "#new?liked=3&disliked=6", "#film?id=6", "#catalogue",
    "#placements", "#versions?id=2", "#pleased", "#now",
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("theme", "width"), [("light", DESK), pytest.param("dark", PHONE, marks=pytest.mark.pages)])
def test_axe_core_finds_nothing(open_screen: OpenScreen, client: Client, theme: str, width: int) -> None:
    screen = open_screen(client, width, theme)
    for address in ADDRESSES:
        screen.open(address)
        screen.settle()
        assert screen.violations() == "", address


@pytest.mark.long
@pytest.mark.parametrize("width", [PHONE, pytest.param(WALL, marks=pytest.mark.pages)])
def test_nothing_is_wider_than_the_screen(open_screen: OpenScreen, client: Client, width: int) -> None:
    screen = open_screen(client, width)
    for address in ADDRESSES:
        screen.open(address)
        screen.settle()
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.long
@pytest.mark.parametrize("width", [PHONE, TABLET])
def test_longer_words_in_french_fit_their_boxes(open_screen: OpenScreen, client: Client, width: int) -> None:
    screen = open_screen(client, width, language="fr-FR")
    screen.open("#film?id=6")
    screen.settle()
    for box in ("nav", ".film"):
        cut = screen.page.locator(box).evaluate_all(
            "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).length"
        )
        assert cut == 0, box


@pytest.mark.long
def test_the_keyboard_alone_reaches_every_control_and_uses_it(screen: Screen) -> None:
    screen.open("#user?id=2")
    screen.settle()
    page = screen.page
    page.evaluate("document.querySelector('.filters').open = true")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    controls = page.locator(":is(a, button, input, select, summary, pre):visible").count()
    assert controls > 70
    presses = controls - 1 + 3 * page.locator("input[type=date]:visible").count()  # day, month, year and calendar
    assert 1 + sum(_tab(screen) for _ in range(presses)) == controls
    page.get_by_label("User id").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("id=1"))
    page.locator("summary[aria-labelledby*=genres]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("in.genres=Comedy"))
    page.keyboard.press("Escape")
    expect(page.locator("summary[aria-labelledby*=genres]")).to_be_focused()
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("diversity=0.1"))


def _tab(screen: Screen) -> int:
    """Go on to the next control; 1 if it is a new one with a visible mark of the focus."""
    screen.page.keyboard.press("Tab")
    return int(
        screen.page.evaluate(
            """() => {
                const now = document.activeElement;
                const isNew = now !== document.body && !now.dataset.reached;
                now.dataset.reached = "yes";
                return isNew && getComputedStyle(now).outlineStyle !== "none" ? 1 : 0;
            }"""
        )
    )


@pytest.mark.long
def test_a_judgement_by_keyboard_leaves_the_focus_in_the_list(screen: Screen) -> None:
    screen.open("#new?liked=3")
    screen.settle()
    screen.films().nth(2).get_by_role("button", name=re.compile("^Like")).focus()
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_url(re.compile("liked=3&liked="))
    screen.settle()
    assert screen.page.evaluate("document.activeElement.closest('.films') !== null")


@pytest.mark.long
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_list_comes_first_and_the_filters_are_a_click_away(
    open_screen: OpenScreen, client: Client, width: int
) -> None:
    screen = open_screen(client, width)
    screen.open("#user?id=2")
    screen.settle()
    first = screen.films().first.bounding_box()
    assert first is not None
    assert first["y"] + first["height"] < 600  # of 900 pixels
    assert not screen.page.get_by_label("Year from").is_visible()
    screen.page.get_by_text("Filters").click()
    expect(screen.page.get_by_label("Year from")).to_be_visible()


@pytest.mark.long
def test_the_browser_s_language_chooses_the_texts(open_screen: OpenScreen, client: Client) -> None:
    french = open_screen(client, language="fr-CA")
    french.open("#user?id=2")
    expect(french.page.get_by_role("heading", name="Recommandations")).to_be_visible()
    assert french.page.evaluate("document.documentElement.lang") == "fr"
    german = open_screen(client, language="de-DE")
    german.open("#user?id=2")
    expect(german.page.get_by_role("heading", name="Recommendations")).to_be_visible()


@pytest.mark.long
def test_all_languages_have_the_same_texts_and_the_page_uses_each(screen: Screen) -> None:
    screen.open()
    files = sorted(FOLDER.glob("texts-*.js"))
    kinds = [
        screen.page.evaluate(
            """async (name) => {
                const texts = (await import(`./web/${name}`)).default;
                return Object.entries(texts).map(([key, text]) => [key, typeof text]);
            }""",
            path.name,
        )
        for path in files
    ]
    assert len(files) == 2
    assert all(each == kinds[0] for each in kinds)
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js") if path not in files)
    # These are put together: `error_${code}`.
    kinds_of_names = "add|by|column|decision|error|example|explore|fallback|figure|group|reason|source|stored"
    derived = re.compile(f"({kinds_of_names})_.*|.*(Lead|Film)|(boosts|explore|pins|quotas)Text")
    names = [key for key, _ in kinds[0] if not derived.fullmatch(key)]
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []
