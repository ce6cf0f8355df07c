"""Every command of docs/tutorial.md, as it stands there and in its order; `make screenshots` runs it for pictures."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from playwright.sync_api import Page

from tests.browser import CHROMIUM, browser_page, open_model, save_aliases, type_alias
from tests.client import Client
from tests.pages import blocks
from tests.processes import PROJECT, free_port, wait_until
from tests.repository import Repository
from tests.service import serves

pytestmark = [pytest.mark.pages, pytest.mark.timeout(900)]

(CLONE, SERVE, ENTER, *COMMANDS) = blocks("docs/tutorial.md")
MODEL = "movie-recommender"
SCREENSHOTS = os.environ.get("SCREENSHOTS")  # the folder for the pictures; they show a model of full size


class Tutorial:
    """Somebody with two terminals, a browser, and ports of their own."""

    def __init__(self, folder: Path) -> None:
        self.client, self.mlflow = Client(free_port()), f"http://127.0.0.1:{free_port()}"
        self.root = folder / MODEL
        self._folder = Repository(folder)
        self._folder.environment |= {
            "PORT": str(self.client.port),
            "MLFLOW_PORT": self.mlflow.rpartition(":")[2],
            "MODEL_POLL_SECONDS": "0.5",
        }
        self._commands = iter(COMMANDS)

    def clone(self, source: Repository) -> None:
        """The first block, and an environment in which all is installed."""
        self._folder.shell(CLONE.replace("…", f"'{source.root}'"))
        environment = self.root / ".venv"
        environment.mkdir()
        for path in Path(sys.prefix).iterdir():
            (environment / path.name).symlink_to(path)
        (environment / "installed").unlink(missing_ok=True)
        (environment / "installed").touch()

    def serve(self) -> "subprocess.Popen[bytes]":
        """The second block, which goes on running."""
        with (self.root / "serve.log").open("wb") as log:
            return subprocess.Popen(
                ["bash", "-c", SERVE],
                cwd=self.root, env=self._folder.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def type_next(self) -> list[str]:
        """The next block, typed in the second terminal: the lines of its output."""
        block = next(self._commands).replace("127.0.0.1:8000", f"127.0.0.1:{self.client.port}")
        block = block.replace("curl ", "curl -sSw '\\n' ")
        return self._folder.shell(f"set -e\n{ENTER}{block}").splitlines()

    def answers(self) -> list[dict[str, Any]]:
        """What the next block's questions to the service are answered."""
        return [json.loads(line) for line in self.type_next()]

    def promote(self) -> None:
        """What the page tells to do in MLflow's page; without a browser, by MLflow's client."""
        if CHROMIUM is None:
            mlflow.MlflowClient(self.mlflow).set_registered_model_alias(MODEL, "production", "2")
            return
        with browser_page() as page:
            page.goto(f"http://127.0.0.1:{self.client.port}")
            page.get_by_role("list", name="Recommendations").wait_for()
            picture(page, "page", 1440, 900)
            page.goto((self.root / "reports" / "comparison" / "report.html").as_uri())
            page.get_by_role("link", name="Accuracy", exact=True).click()
            picture(page, "report", 1200, 690)
            page.goto(self.mlflow)
            page.get_by_text("Model training", exact=True).first.click(timeout=60_000)
            page.get_by_role("link", name="Model registry").click()
            page.get_by_role("link", name=MODEL).wait_for()
            close_what_is_in_the_way(page)
            picture(page, "registry", 1400, 300)
            open_model(page, self.mlflow, MODEL)
            editor = type_alias(page, "2", "production")
            picture(page, "alias", 1200, 560)
            save_aliases(editor)


def picture(page: Page, name: str, width: int, height: int) -> None:
    """A screenshot for the tutorial, if they were asked for."""
    if SCREENSHOTS is not None:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(1500)  # until what moves has come to rest
        page.screenshot(path=PROJECT / SCREENSHOTS / f"{name}.png")


def close_what_is_in_the_way(page: Page) -> None:
    """What MLflow 3 shows to a new user: an announcement and an assistant."""
    page.keyboard.press("Escape")
    assistant = page.locator("[data-component-id='mlflow.assistant.chat_panel.close']")
    if assistant.is_visible():
        assistant.click()


@pytest.fixture
def tutorial(tmp_path: Path) -> Iterator[Tutorial]:
    """The repository cloned, and everything started."""
    source = Repository.copy(tmp_path / "source")
    for name in ("Makefile", "requirements-installers.txt", "requirements.lock"):
        shutil.copy(PROJECT / name, source.root)
    source.change(candidates=["lightfm"], evaluate__bootstrap=100)
    if SCREENSHOTS is not None:
        shutil.copy(PROJECT / "params.yaml", source.root)
    source.commit("The project")
    tutorial = Tutorial(tmp_path)
    tutorial.clone(source)
    serving = tutorial.serve()
    try:
        wait_until(lambda: "Ctrl-C ends both" in (tutorial.root / "serve.log").read_text(), seconds=240, step=0.2)
        yield tutorial
    finally:
        os.killpg(serving.pid, signal.SIGINT)
        serving.wait(60)


def test_the_first_hour(tutorial: Tutorial) -> None:
    known, unknown = tutorial.answers()
    assert (known["source"], unknown["source"]) == ("personalised", "popular")

    tutorial.type_next()  # copy the sample's files
    tutorial.type_next()  # add one's own ratings
    assert "movie-recommender version 2 (lightfm): challenger" in "\n".join(tutorial.type_next())
    assert tutorial.client.version() == "1"

    tutorial.promote()
    wait_until(serves(tutorial.client, "2"))
    model, mine = tutorial.answers()
    assert model["version"] == "2"
    assert mine["source"] == "personalised"
    assert all(film["because"] for film in mine["items"])

    assert "version 1 is production, 2 was before" in tutorial.type_next()[0]
    wait_until(serves(tutorial.client, "1"))
    assert "version 2 is production, 1 was before" in tutorial.type_next()[0]
    wait_until(serves(tutorial.client, "2"))

    back = "\n".join(tutorial.type_next())
    assert "train" not in " ".join(re.findall("Running stage '(.*)'", back))
    assert "movie-recommender version 1 (lightfm): production, decided before; nothing to do" in back
    with pytest.raises(StopIteration):
        tutorial.type_next()
