"""A version's description on MLflow's own page, as a person reads it before the click."""

import re

import pytest

from tests import browser
from tests.training.world import CANDIDATES, Trained, change_params
from training.register import register

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
NAME = "described"


def test_the_page_of_a_version_shows_metrics_checks_and_the_way_to_its_run(
    trained: Trained, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = trained
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    params = change_params(project, candidates=CANDIDATES, register__name=NAME, register__experiment=NAME)
    register(project, params)
    with browser.browser_page() as page:
        page.goto(f"{mlflow_server}/#/models/{NAME}/versions/1")
        page.get_by_role("cell", name="ndcg@10").first.wait_for(timeout=60_000)
        assert page.get_by_role("cell", name=re.compile(r"^\d\.\d{4} \[\d")).count() == 7
        assert page.get_by_role("listitem").filter(has_text="size passed: sizes are not compared").count() == 1
        with page.expect_popup() as opened:
            page.get_by_role("link", name="The run, with its report").click()
        opened.value.wait_for_url(re.compile(r"#/experiments/\d+/runs/\w{32}"), timeout=60_000)
        opened.value.get_by_role("heading", name="pipeline").first.wait_for(timeout=60_000)
