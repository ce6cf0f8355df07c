"""The API's documentation for people: it works without network, and may do nothing but ask this service."""

import re

import pytest

from tests.app.web.conftest import Screen
from tests.browser import CHROMIUM
from tests.client import Client


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize(
    ("address", "operation"),
    [("docs", "#operations-recommendations-recommend_for_user"), ("redoc", 'role=button[name="get /health/ready"]')],
)
def test_the_documentation_is_there_without_another_host(screen: Screen, address: str, operation: str) -> None:
    answers: list[str] = []
    screen.page.on("response", lambda response: answers.append(response.url))
    screen.open(address)
    screen.page.locator(operation).wait_for(timeout=60_000)
    own = re.compile(rf"(http://127\.0\.0\.1:{screen.client.port}/|data:|blob:|about:blank)")
    assert [url for url in answers if not own.match(url)] == []
    # The policy keeps ReDoc from loading its maker's logo.
    screen.complaints[:] = [text for text in screen.complaints if "/redoc/logo-mini.svg' violates" not in text]


@pytest.mark.long
@pytest.mark.parametrize("address", ["/docs", "/redoc"])
def test_its_policy_allows_no_script_but_its_own(client: Client, address: str) -> None:
    policy = client.get(address).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy.partition("script-src")[2].partition(";")[0]
