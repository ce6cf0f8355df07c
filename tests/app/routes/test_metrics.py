import pytest

from tests.client import Client
from tests.metrics import samples


def test_prometheus_reads_what_was_asked_and_answered(client: Client) -> None:
    before = samples(client.get("/metrics").body.decode())
    client.get("/users/1/recommendations")
    client.get("/users/nobody/recommendations?k=100")
    client.get("/users/1/recommendations?k=0")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    after = samples(answer.body.decode())

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0)

    route = "method=GET,route=/users/{user_id}/recommendations"
    assert grown(f"recommender_requests_total{{{route},status=200}}") == 2
    assert grown(f"recommender_requests_total{{{route},status=422}}") == 1
    assert grown("recommender_lists_total{source=personalised}") == 1
    assert grown("recommender_lists_total{source=popular}") == 1
    assert grown("recommender_short_lists_total{source=popular}") == 1
    assert after["recommender_catalogue_items"] == 6
    assert after["recommender_model_swaps_total"] == 1
    assert after["process_resident_memory_bytes"] > 0


def test_what_no_route_matches_shares_a_label(client: Client) -> None:
    for guess in range(5):
        client.get(f"/guess/{guess}")
    routes = [name for name in samples(client.get("/metrics").body.decode()) if "guess" in name]
    assert routes == []


def test_a_scraper_may_prefer_openmetrics(client: Client) -> None:
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")


def test_a_service_without_a_model_is_scraped_too(empty_client: Client) -> None:
    found = samples(empty_client.get("/metrics").body.decode())
    assert found["recommender_catalogue_items"] == 0


@pytest.mark.parametrize(
    "accept", ["text/plain; version=" + "9" * 5000, "application/openmetrics-text; version=abc", "; version=", "\xff"]
)
def test_a_format_that_nobody_knows_is_answered_in_the_plain_one(client: Client, accept: str) -> None:
    answer = client.get("/metrics", headers={"Accept": accept})
    assert (answer.status, answer.headers["content-type"]) == (200, client.get("/metrics").headers["content-type"])
