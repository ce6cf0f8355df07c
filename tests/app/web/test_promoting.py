"""A version is promoted on the page, as an editor does it, with a real MLflow behind the service."""

import re

import pytest
from playwright.sync_api import expect

from tests.app.web.conftest import OpenScreen
from tests.browser import CHROMIUM
from tests.client import serving
from tests.conftest import MakeSettings
from tests.processes import wait_until
from tests.registry import TestRegistry

TAGS = {
    "decision": "refused",
    "gate_reason": "does not beat live version 1: +0.0010 [-0.0020, +0.0040] in ndcg@10",
    "gate_metric": "ndcg@10",
    "gate_candidate": "0.2310",
    "gate_gain_over_live": "0.0010",
    "gate_gain_over_live_low": "-0.0020",
    "gate_gain_over_live_high": "0.0040",
}


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_an_editor_promotes_after_a_confirmation_and_with_the_key(
    registry: TestRegistry, make_settings: MakeSettings, open_screen: OpenScreen
) -> None:
    registry.register(alias="production")
    registry.register()
    for name, value in TAGS.items():
        registry.client.set_model_version_tag(registry.name, "2", name, value)
    with serving(make_settings(registry, admin_token="the token", model_poll_seconds=3600)) as client:
        wait_until(lambda: client.version() == "1")
        french = open_screen(client, language="fr-FR")
        french.open("#versions")
        sentence = "Refusée : gain par rapport à la version en service +0,0010 (de -0,0020 à +0,0040) en ndcg@10"
        expect(french.page.get_by_text(sentence)).to_be_visible()
        screen = open_screen(client)
        screen.open("#versions")
        page = screen.page
        versions = page.get_by_role("region", name="All versions")
        expect(versions.get_by_role("listitem")).to_have_count(2)
        versions.get_by_role("button", name="Make version 2 live").click()
        dialog = page.get_by_role("dialog", name="Make version 2 live?")
        expect(dialog).to_contain_text("in place of those of version 1")
        assert screen.violations() == ""
        dialog.get_by_label("Editor’s key").fill("wrong")
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("alert")).to_have_text("The service does not know this key.")
        assert client.version() == "1"
        dialog.get_by_label("Editor’s key").fill("the token")
        dialog.get_by_role("button", name="Make it live").click()
        expect(page.get_by_role("heading", name="Version 2 production")).to_be_visible()
        expect(dialog).to_be_hidden()
        expect(versions.get_by_role("listitem").filter(has_text=re.compile("Version 1.*previous"))).to_be_visible()
        assert client.version() == "2"
        assert "the token" not in page.content() + page.url
