from pathlib import Path
from time import time

import pytest

from app.model.registered_version import RegisteredVersion
from app.model.store import ServedModel, load_model
from app.observability.served_lists import NotedList, ReadyList
from app.observability.telemetry import Telemetry
from tests.artifacts import make_artifact, write
from tests.metrics import collected


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def load(directory: Path, version: str, created: float = 0) -> ServedModel:
    return load_model(
        write(directory / version, make_artifact()), RegisteredVersion(version, int(created * 1000), "run")
    )


def test_requests_and_latency_are_counted_by_route_and_status(telemetry: Telemetry) -> None:
    for seconds in (0.0002, 0.003):
        telemetry.answered("GET", "/users/{user_id}/recommendations", 200, seconds)
    telemetry.answered("POST", "/recommendations", 422, 0.001)
    found = collected(telemetry.collectors)
    route = "route=/users/{user_id}/recommendations,status=200"
    assert found[f"recommender_requests_total{{method=GET,{route}}}"] == 2
    assert found["recommender_requests_total{method=POST,route=/recommendations,status=422}"] == 1
    assert found[f"recommender_request_seconds_sum{{{route}}}"] == pytest.approx(0.0032)
    assert found[f"recommender_request_seconds_bucket{{le=0.0005,{route}}}"] == 1
    assert found[f"recommender_request_seconds_bucket{{le=0.005,{route}}}"] == 2


def test_invented_methods_share_a_label(telemetry: Telemetry) -> None:
    for number in range(100):
        telemetry.answered(f"METHOD{number}", "none", 404, 0)
    assert collected(telemetry.collectors)["recommender_requests_total{method=other,route=none,status=404}"] == 100


def test_lists_are_counted_by_source_and_short_ones_too(telemetry: Telemetry, tmp_path: Path) -> None:
    telemetry.model.swapped(model := load(tmp_path, "1"))
    telemetry.served(model, "personalised", ReadyList(0, 3))
    telemetry.served(model, "personalised", NotedList.of([1], is_short=True))
    telemetry.served(model, "popular", NotedList.of([], is_fallback=True, is_short=True))
    found = collected(telemetry.collectors)
    assert found["recommender_lists_total{source=personalised}"] == 2
    assert found["recommender_short_lists_total{source=personalised}"] == 1
    assert found["recommender_short_lists_total{source=popular}"] == 1
    assert found["recommender_recent_fallback_share"] == pytest.approx(1 / 3)
    assert found["recommender_recent_short_share"] == pytest.approx(2 / 3)


def test_the_model_s_version_and_ages_are_those_of_the_last_swap(telemetry: Telemetry, tmp_path: Path) -> None:
    telemetry.model.swapped(load(tmp_path, "1"))
    second = load(tmp_path, "2", created=time() - 3600)
    telemetry.model.swapped(second)
    found = collected(telemetry.collectors)
    labels = f"content_hash={second.described.content_hash},family=test,version=2"
    assert [name for name in found if name.startswith("recommender_model_info")] == [
        f"recommender_model_info{{{labels}}}"
    ]
    assert found["recommender_model_age_seconds{version=2}"] == pytest.approx(3600, abs=30)
    assert 0 <= found["recommender_model_loaded_seconds{version=2}"] < 30
    assert (found["recommender_model_swaps_total"], telemetry.model.swaps) == (2, 2)


def test_a_swap_forgets_what_was_served_by_the_former_model(telemetry: Telemetry, tmp_path: Path) -> None:
    telemetry.model.swapped(first := load(tmp_path, "1"))
    telemetry.served(first, "personalised", NotedList.of([0, 1, 2]))
    assert collected(telemetry.collectors)["recommender_recent_distinct_items"] == 3
    telemetry.model.swapped(load(tmp_path, "2"))
    found = collected(telemetry.collectors)
    assert found["recommender_recent_distinct_items"] == 0
    assert found["recommender_lists_total{source=personalised}"] == 1


def test_a_list_of_another_version_counts_by_its_source_and_is_not_among_the_recent_ones(
    telemetry: Telemetry, tmp_path: Path
) -> None:
    telemetry.model.swapped(load(tmp_path, "1"))
    telemetry.served(load(tmp_path, "2"), "personalised", NotedList.of([0, 1, 2]))
    found = collected(telemetry.collectors)
    assert found["recommender_lists_total{source=personalised}"] == 1
    assert found["recommender_recent_lists"] == 0


def test_failures_and_polls_of_every_kind_are_there_from_the_start(telemetry: Telemetry) -> None:
    found = collected(telemetry.collectors)
    assert found["recommender_model_swap_failures_total{code=artifact_refused}"] == 0
    assert found["recommender_model_polls_total{status=registry_unavailable}"] == 0
    assert found["recommender_model_polls_total{status=ok}"] == 0


def test_a_service_without_a_model_has_no_version(telemetry: Telemetry) -> None:
    names = {name.partition("{")[0] for name in collected(telemetry.collectors)}
    assert not names & {"recommender_model_info", "recommender_model_age_seconds"}


def test_a_latency_counts_in_every_bucket_from_its_own_bound_on(telemetry: Telemetry) -> None:
    bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
    for seconds in (*bounds, 60):
        telemetry.answered("GET", "/model", 200, seconds)
    found = collected(telemetry.collectors)
    for number, bound in enumerate((*map(float, bounds), "+Inf"), start=1):
        assert found[f"recommender_request_seconds_bucket{{le={bound},route=/model,status=200}}"] == number
