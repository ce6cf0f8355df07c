"""The page and its service: keys, swaps, restarts, slow answers, and what the browser is allowed to do."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from pydantic import SecretStr

from app.routes.page import FOLDER, POLICY, TYPES
from app.settings import Settings
from tests.app.web.conftest import PICTURES, POLL, OpenScreen, Screen, make_model, make_service_settings
from tests.artifacts import write
from tests.browser import CHROMIUM
from tests.client import Client, serving
from tests.processes import free_port, wait_until

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
MOST_BYTES = 164_000


def test_the_page_is_small_and_its_files_have_their_types_and_a_strict_policy(client: Client) -> None:
    files = [path for path in FOLDER.iterdir() if path.suffix in TYPES]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    for file in files:
        answer = client.get("/" if file.name == "index.html" else f"/web/{file.name}")
        assert answer.body == file.read_bytes().replace(b"{image_origins}", PICTURES.encode())
        assert answer.headers["content-type"].startswith(TYPES[file.suffix])
        assert answer.headers["content-security-policy"] == POLICY.format(images=f" {PICTURES}")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY
    assert client.get("/", "HEAD").status == 200
    for path in ("/web/", "/web/../settings.py", "/web/%2e%2e/settings.py", "/web/nothing.js"):
        assert client.get(path).status == 404


def test_the_page_can_be_switched_off(tmp_path: Path) -> None:
    with serving(make_service_settings(tmp_path, web_page=False)) as client:
        assert [client.get(path).status for path in ("/", "/web/app.js", "/users/2/recommendations")] == [404, 404, 200]


@pytest.mark.long
@needs_chromium
def test_a_key_is_asked_for_once_and_kept_for_this_tab_only(open_screen: OpenScreen, tmp_path: Path) -> None:
    with serving(make_service_settings(tmp_path, api_keys=SecretStr("right key"))) as client:
        screen = open_screen(client)
        screen.open("#user?id=2")
        page = screen.page
        page.get_by_label("Key", exact=True).fill("wrong key")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The service does not know this key.")
        assert not page.locator("main").is_visible()
        page.get_by_label("Key", exact=True).fill("right key")
        page.get_by_role("button", name="Use this key").click()
        assert len(screen.ids()) == 10
        expect(page.locator("pre")).to_contain_text("-H 'X-API-Key: …'")
        assert "right key" not in page.content() + page.url
        page.reload()
        assert len(screen.ids()) == 10
        stranger = open_screen(client)
        stranger.open()
        expect(stranger.page.get_by_label("Key", exact=True)).to_be_focused()


@pytest.mark.long
@needs_chromium
def test_a_swap_is_noticed_and_the_list_reloaded_on_demand(open_screen: OpenScreen, tmp_path: Path) -> None:
    folder = write(tmp_path / "folder", make_model(seed=1))
    settings = Settings(model_dir=folder, model_cache_dir=tmp_path / "cache", model_poll_seconds=0.05)
    with serving(settings) as client:
        wait_until(lambda: client.version() is not None)
        screen = open_screen(client)
        screen.open("#user?id=2")
        before, first = screen.ids(), client.version()
        shutil.copytree(write(tmp_path / "next", make_model(seed=2)), folder, dirs_exist_ok=True)
        wait_until(lambda: client.version() != first)
        screen.page.evaluate(POLL)
        expect(screen.page.get_by_text(f"Version {client.version()} has been loaded.")).to_be_visible()
        assert screen.ids() == before
        screen.page.get_by_role("button", name="Reload the list").click()
        expect(screen.page.get_by_text(f"version {client.version()}", exact=True)).to_be_visible()
        assert screen.ids() == [item["id"] for item in client.get("/users/2/recommendations").json["items"]] != before
        assert screen.page.get_by_role("button", name="Reload the list").count() == 0


@pytest.mark.long
@needs_chromium
def test_a_service_that_is_gone_is_noticed_and_the_page_goes_on_when_it_is_back(
    open_screen: OpenScreen, tmp_path: Path
) -> None:
    settings, port = make_service_settings(tmp_path), free_port()
    with serving(settings, port=port) as client:
        screen = open_screen(client)
        screen.open("#user?id=2")
        assert len(screen.ids()) == 10
    page = screen.page
    page.evaluate(POLL)
    expect(page.get_by_text("The service does not answer. The page tries again")).to_be_visible()
    page.get_by_role("button", name="1 short history").click()
    expect(page.get_by_role("alert").first).to_contain_text("Is it running?")
    with serving(settings, port=port):
        expect(screen.films()).to_have_count(10)
        page.evaluate(POLL)
        expect(page.get_by_text("The service does not answer.")).to_have_count(0)
        screen.complaints[:] = [text for text in screen.complaints if "ERR_CONNECTION" not in text]


@pytest.mark.long
@needs_chromium
def test_without_a_model_the_page_says_what_to_do_and_shows_the_list_once_there_is_one(
    open_screen: OpenScreen, tmp_path: Path
) -> None:
    settings = Settings(model_dir=tmp_path / "folder", model_cache_dir=tmp_path / "cache", model_poll_seconds=0.05)
    with serving(settings) as client:
        screen = open_screen(client)
        screen.open()
        expect(screen.page.get_by_role("alert").first).to_contain_text("Give one the alias “production” in MLflow")
        write(tmp_path / "folder", make_model())
        expect(screen.films()).to_have_count(10)


@pytest.mark.long
@needs_chromium
def test_a_slow_answer_shows_that_the_page_works(screen: Screen) -> None:
    screen.open("#user?id=2")
    screen.settle()

    held: list[Route] = []
    screen.page.route("**/recommendations*", lambda route: held.append(route))
    screen.page.get_by_role("button", name="1 short history").click()
    expect(screen.page.locator("#working")).to_have_text("Working…")
    for route in held:
        route.continue_()
    expect(screen.page.locator("#working")).to_be_hidden()


@pytest.mark.long
@needs_chromium
def test_the_browser_turns_no_text_into_markup_and_runs_no_inline_script(screen: Screen) -> None:
    screen.open("#now")
    screen.settle()
    refused = screen.page.evaluate(
        """() => {
            let failed = false;
            try { document.createElement("p").innerHTML = "<b>x</b>"; } catch { failed = true; }
            const script = document.createElement("script");
            script.append("window.ran = true");
            document.body.append(script);
            return [failed, !window.ran];
        }"""
    )
    assert refused == [True, True]
    screen.settle()
    assert len(screen.complaints) >= 2
    screen.complaints.clear()


@pytest.mark.long
@needs_chromium
def test_nothing_comes_from_another_host(screen: Screen) -> None:
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url))
    for address in ("#user?id=2", "#new?liked=3", "#film?id=3", "#versions?id=2", "#now"):
        screen.open(address)
        screen.settle()
    assert len(asked) > 20
    own = (f"http://127.0.0.1:{screen.client.port}/", f"{PICTURES}/")  # the setting names the host of pictures
    assert {url for url in asked if not url.startswith(own)} <= {"about:blank"}
