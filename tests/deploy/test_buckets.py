from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.config import Config

from deploy import buckets
from tests.processes import answers, free_port, process, wait_until


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that speaks S3; the environment leads there, with one attempt only."""
    port = free_port()
    variables = {"ENDPOINT_URL_S3": f"http://127.0.0.1:{port}", "ACCESS_KEY_ID": "me", "SECRET_ACCESS_KEY": "secret"}
    for name, value in {**variables, "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr(buckets, "PATIENCE", Config(retries={"total_max_attempts": 1}))
    with process(["moto.server", "--port", str(port)], {}, tmp_path / "log"):
        wait_until(lambda: answers(port, "/moto-api/"))
        yield variables["ENDPOINT_URL_S3"]


@pytest.mark.long
def test_buckets_are_created_and_those_that_exist_are_no_failure(
    s3: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    httpx.put(f"{s3}/films", headers={"x-moto-account-id": "222222222222"}).raise_for_status()  # somebody else's
    monkeypatch.setenv("BUCKETS", "films,models")
    for _ in range(2):
        buckets.main()
        assert capsys.readouterr().out == "bucket films: exists\nbucket models: exists\n"
    assert httpx.get(f"{s3}/models").status_code == 200


@pytest.mark.long
def test_a_bucket_is_created_in_the_region_that_is_set(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("BUCKETS", "films")
    buckets.main()
    assert boto3.client("s3").get_bucket_location(Bucket="films")["LocationConstraint"] == "eu-central-1"


@pytest.mark.long
def test_a_name_that_no_bucket_can_have_is_named(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKETS", "models,ab")
    with pytest.raises(SystemExit, match=r"The bucket ab could not be created: .*InvalidBucketName"):
        buckets.main()


@pytest.mark.long
def test_a_store_that_is_down_is_told_in_a_sentence(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("BUCKETS", "films")
    with pytest.raises(SystemExit, match="The bucket films could not be created: Could not connect to the endpoint"):
        buckets.main()


def test_a_store_that_starts_at_the_same_time_is_waited_for() -> None:
    assert buckets.PATIENCE.retries == {"total_max_attempts": 10, "mode": "standard"}
