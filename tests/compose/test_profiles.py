"""The parts that a deployment may add: monitoring, and an S3 store."""

from collections.abc import Iterator

import pytest

from tests.compose.deployment import MODEL, NAME, REPLICAS, Deployment, deployed, docker
from tests.processes import wait_until

pytestmark = pytest.mark.compose
SETTINGS = {"COMPOSE_PROFILES": "s3", "ARTIFACTS_DESTINATION": "s3://mlflow"}
LIST = "import boto3; print(*(f['Key'] for f in boto3.client('s3').list_objects_v2(Bucket='mlflow')['Contents']))"


def test_prometheus_scrapes_replicas_and_scheduled_training_by_rules_that_it_accepts(deployment: Deployment) -> None:
    profiles = ("--profile", "monitoring", "--profile", "retrain")
    deployment.compose(*profiles, "up", "--detach", "--no-deps", "prometheus", "retrain")
    prometheus = deployment.container("prometheus")
    docker("exec", prometheus, "promtool", "check", "rules", "/etc/prometheus/rules.yml")
    ask = ("exec", prometheus, "promtool", "query", "instant", "http://127.0.0.1:9090")
    wait_until(lambda: _ready(prometheus), step=1)
    wait_until(lambda: f"=> {REPLICAS + 1} @" in docker(*ask, "sum(up)"), step=1)
    assert f"=> {REPLICAS} @" in docker(*ask, "count(recommender_model_info)")
    assert "=> 86400 @" in docker(*ask, "recommender_retrain_period_seconds")
    wait_until(lambda: docker(*ask, "ALERTS") == "", step=1)  # those of what other tests have broken end


def _ready(prometheus: str) -> bool:
    try:
        docker("exec", prometheus, "promtool", "check", "ready", "--url=http://127.0.0.1:9090")
    except RuntimeError:
        return False
    return True


@pytest.fixture(scope="module")
def with_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Another deployment, whose artifacts and DVC remote are in an S3 store."""
    with deployed(tmp_path_factory.mktemp("s3"), f"{NAME}-s3", SETTINGS) as started:
        yield started


def test_artifacts_lie_in_the_store_and_the_service_needs_no_key_for_them(with_s3: Deployment) -> None:
    with_s3.wait_for("1")
    assert "artifacts/served/manifest.json" in with_s3.compose("run", "--rm", "-T", "train", "python", "-c", LIST)
    assert "AWS" not in docker("exec", with_s3.replicas()[0], "sh", "/with_secrets.sh", "env")


def test_what_was_pushed_spares_another_machine_the_training(with_s3: Deployment) -> None:
    with_s3.compose("run", "--rm", "-T", "train", "dvc", "push", "--run-cache")
    with_s3.compose("rm", "--stop", "--force", "bootstrap", "events-keeper")
    docker("volume", "rm", *(f"{with_s3.name}_{volume}" for volume in ("dvc-cache", "models", "data", "reports")))
    with_s3.compose("run", "--rm", "-T", "train", "dvc", "fetch", "--run-cache")
    said = with_s3.compose("run", "--rm", "-T", "train", "dvc", "repro", "--pull")
    assert "Stage 'train@lightfm' is cached - skipping run" in said
    assert "> python -m training train" not in said
    assert f"{MODEL} version 1 (lightfm): production, decided before" in said
