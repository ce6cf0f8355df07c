"""Each of several workers shows its own metrics."""

import errno
import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from app.observability import metrics_port as module
from app.observability.metrics_port import metrics_port
from tests.artifacts import write
from tests.client import Client, put_in_cache
from tests.conftest import MakeSettings
from tests.metrics import Samples, samples
from tests.processes import answers, free_port, wait_until
from tests.service import service

WORKERS = 2
REQUESTS = 40
COUNTED = "recommender_lists_total{source=personalised}"


def free_ports(n: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + n):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


def shown(port: int) -> Samples:
    return samples(Client(port).get("/metrics").body.decode())


@pytest.mark.long
def test_the_ports_of_two_workers_add_up_to_all_requests(make_settings: MakeSettings, tmp_path: Path) -> None:
    first = free_ports(WORKERS)
    settings = make_settings(metrics_port=first)
    put_in_cache(settings, write(tmp_path / "served"), version="7")
    with service(settings, tmp_path / "log", {"WEB_CONCURRENCY": str(WORKERS)}) as (client, _):
        ports = range(first, first + WORKERS)
        wait_until(lambda: all(answers(port, "/metrics") for port in ports))
        for _ in range(REQUESTS):  # each over a connection of its own, so that both workers answer
            assert client.get("/users/1/recommendations").status == 200
        each = [shown(port) for port in ports]
    assert sum(one.get(COUNTED, 0) for one in each) == REQUESTS
    assert each[0]["process_resident_memory_bytes"] != each[1]["process_resident_memory_bytes"]


def test_a_port_that_is_taken_is_passed_over_and_given_back_at_the_end() -> None:
    first = free_ports(2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        with metrics_port(first, "127.0.0.1", CollectorRegistry()):
            assert answers(first + 1, "/metrics")
        assert not answers(first + 1, "/metrics")


@pytest.mark.parametrize(("first", "last"), [(20_000, 20_063), (65_500, 65_535)])
def test_64_ports_are_tried_and_none_beyond_the_last_one(
    first: int, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def taken(port: int, *_: object) -> None:
        tried.append(port)
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(module, "start_http_server", taken)
    sentence = f"METRICS_PORT is {first}, but no port from it to {last} is free on 127.0.0.1"
    with pytest.raises(OSError, match=sentence), metrics_port(first, "127.0.0.1", CollectorRegistry()):
        pass
    assert tried == list(range(first, last + 1))


def test_without_a_setting_no_port_is_opened(make_settings: MakeSettings) -> None:
    assert make_settings().metrics_port is None
    with metrics_port(None, "127.0.0.1", CollectorRegistry()):
        pass


def test_a_foreign_address_is_refused() -> None:
    with (
        pytest.raises(OSError, match="assign"),
        metrics_port(free_port(), "192.0.2.1", CollectorRegistry()),
    ):
        pass
