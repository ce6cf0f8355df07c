"""How long somebody waits for the first list on the page, with a model of MovieLens-25M's size.

    python -m benchmarks.page [--rounds 7]

Each round is a new browser context, which has nothing of the page in its cache.
"""

import sys
import time
from statistics import median

from playwright.sync_api import Browser

from benchmarks.big_artifact import kept
from benchmarks.contenders import SERVICE, in_environment
from benchmarks.environments import CACHE
from benchmarks.load import Request
from benchmarks.options import options
from benchmarks.servers import serving
from tests.browser import chromium

MARK_SECONDS = 1.0


def main() -> None:
    """Print the seconds from opening the address to the first list, and whether their median is within the mark."""
    rounds = options(__doc__, rounds=7).rounds
    variables = {"MODEL_DIR": str(kept()), "MODEL_CACHE_DIR": str(CACHE / "page")}
    with serving("page", in_environment("service", SERVICE), variables) as (server, started), chromium() as browser:
        server.seconds_to_first_answer(Request("/users/%d/recommendations"), started)
        seconds = [first_list(browser, server.port) for _ in range(rounds)]
    print("seconds to the first list:", ", ".join(f"{each:.2f}" for each in seconds))
    if median(seconds) > MARK_SECONDS:
        sys.exit(f"The median is above the mark of {MARK_SECONDS:g} s")
    print(f"median {median(seconds):.2f}, mark {MARK_SECONDS:g}: reached")


def first_list(browser: Browser, port: int) -> float:
    """Open the page in a new context; returns the seconds until a list of recommendations is on the screen."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
    page.get_by_role("list", name="Recommendations", exact=True).wait_for()
    seconds = time.perf_counter() - started
    context.close()
    return seconds


if __name__ == "__main__":
    main()
