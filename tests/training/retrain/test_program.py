import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry

from tests.processes import answers, free_port, wait_until
from training.errors import ParamsError
from training.retrain.program import run_on_schedule
from training.retrain.schedule import parse_schedule

NEW_YEAR = "0 0 1 jan *"


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_calls_at_once_if_it_is_asked_to_and_ends_at_a_signal(number: signal.Signals) -> None:
    called: list[str] = []

    def job() -> None:
        called.append("job")
        os.kill(os.getpid(), number)

    run_on_schedule(
        job, parse_schedule(NEW_YEAR), "127.0.0.1", free_port(), CollectorRegistry(), at_once=True,
        stop=lambda: called.append("stop"),
    )  # fmt: skip
    assert called == ["job", "stop"]
    assert not [thread for thread in threading.enumerate() if thread.name == "APScheduler"]


def test_without_being_asked_to_it_waits_for_its_time() -> None:
    called, port = list[str](), free_port()

    def end() -> None:
        wait_until(lambda: answers(port, "/metrics"))  # it listens to signals by then
        os.kill(os.getpid(), signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(end)
        run_on_schedule(lambda: called.append("job"), parse_schedule(NEW_YEAR), "127.0.0.1", port, CollectorRegistry())
        ended.result()
    assert called == []


@pytest.mark.parametrize("port", [99_999, -1])
def test_a_port_that_is_none_is_named(port: int) -> None:
    with pytest.raises(ParamsError, match=f"--port {port} can't show metrics"):
        run_on_schedule(lambda: None, parse_schedule(NEW_YEAR), "127.0.0.1", port, CollectorRegistry())


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ParamsError, match=rf"--host 127\.0\.0\.1 --port {port} can't show metrics \(.*\): choose"):
            run_on_schedule(lambda: None, parse_schedule(NEW_YEAR), "127.0.0.1", port, CollectorRegistry())
