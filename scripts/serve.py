"""Run MLflow and the service until Ctrl-C, and the pipeline before the first time: `make serve`, once installed."""

import signal

# Until StopRequest is made, Ctrl-C ends the program without a traceback.
if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

from scripts.programs import running

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_SECONDS = 120
PAUSE_SECONDS = 0.1
VERSIONS = "SELECT count(*) FROM model_versions WHERE current_stage != 'Deleted_Internal'"
NO_MODEL = ("model_missing", "alias_missing")


class StopRequest:
    """Notes the first signal that asks the program to stop, and ignores the others.

    If the handler raised an error, a second signal would interrupt the stopping that the first one began.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # A shell makes programs in the background ignore Ctrl-C; nohup makes its program ignore SIGHUP.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)

    def pause(self) -> None:
        """Wait for a moment; after a signal exit instead, with 0 after Ctrl-C, else with 128 and its number."""
        if self.signal is not None:
            sys.exit(0 if self.signal == signal.SIGINT else 128 + self.signal)
        time.sleep(PAUSE_SECONDS)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.signal = self.signal or number


@dataclass(frozen=True)
class Server:
    """A server process and the file that holds its output."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Exit with a sentence if the server has ended."""
        if self.process.poll() is not None:
            sys.exit(f"{self.name} ended by itself with exit code {self.process.returncode}; see {self.log}")


def main() -> None:
    """Start everything, print the addresses, and stop everything at the end."""
    request = StopRequest()
    options = _options()
    try:
        if not _has_versions():
            _run_pipeline(request)
        _serve(request, options.port, options.mlflow_port)
    finally:
        if request.signal is not None:
            print("\nStopped.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    return parser.parse_args()


def _has_versions() -> bool:
    """Whether there is a version to serve; if so, nothing is trained at the start."""
    address = f"{(ROOT / 'mlflow.db').as_uri()}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as database:
        return bool(database.execute(VERSIONS).fetchone()[0])
    return False


def _run_pipeline(request: StopRequest) -> None:
    # Without MLFLOW_TRACKING_URI the pipeline writes to mlflow.db, which the MLflow server below opens.
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    with running([sys.executable, "-m", "dvc", "repro"], environment=environment, folder=ROOT) as process:
        while process.poll() is None:
            request.pause()
    if process.returncode:
        sys.exit("The pipeline failed, see above; nothing was started.")


def _serve(request: StopRequest, port: int, mlflow_port: int) -> None:
    with ExitStack() as stack:
        # The service starts last: one that finds no registry shows that as its last problem.
        servers = [stack.enter_context(_mlflow(mlflow_port))]
        _wait(request, servers, lambda: _is_open(mlflow_port))
        servers.append(stack.enter_context(_service(port, mlflow_port)))
        _wait(request, servers, lambda: _is_settled(_model(port)))
        _announce(port, mlflow_port)
        while True:
            request.pause()
            for server in servers:
                server.check()


def _mlflow(port: int) -> AbstractContextManager[Server]:
    store = ["--backend-store-uri", f"sqlite:///{ROOT / 'mlflow.db'}", "--artifacts-destination", str(ROOT / "mlruns")]
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *store]
    return _server("mlflow", command, {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})


def _service(port: int, mlflow_port: int) -> AbstractContextManager[Server]:
    command = ["app", "--host", "127.0.0.1", "--port", str(port)]
    return _server("service", command, {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{mlflow_port}"})


@contextmanager
def _server(name: str, module: Sequence[str], variables: Mapping[str, str]) -> Iterator[Server]:
    log = ROOT / ".cache" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    command, environment = [sys.executable, "-m", *module], os.environ | dict(variables)
    with log.open("wb") as output, running(command, environment=environment, folder=ROOT, output=output) as process:
        yield Server(name, process, log)


def _wait(request: StopRequest, servers: Sequence[Server], is_ready: Callable[[], bool]) -> None:
    """Return once the last server is ready; exit with a sentence if one ends, or if it takes too long."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not is_ready():
        request.pause()
        for server in servers:
            server.check()
        if time.monotonic() > deadline:
            sys.exit(f"{servers[-1].name} was not ready within {READY_WITHIN_SECONDS} seconds; see {servers[-1].log}")


def _is_open(mlflow_port: int) -> bool:
    return _answer(f"http://127.0.0.1:{mlflow_port}/health") is not None


def _is_settled(model: dict[str, Any]) -> bool:
    """Whether the service has a model, or knows that the registry has none for it."""
    return bool(model) and (model["version"] is not None or model["registry"]["status"] in NO_MODEL)


def _model(port: int) -> dict[str, Any]:
    """The service's answer at `/model`; empty while it does not answer."""
    model: dict[str, Any] = json.loads(_answer(f"http://127.0.0.1:{port}/model") or "{}")
    return model


def _answer(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            body: bytes = answer.read()
    except OSError:
        return None
    return body


def _announce(port: int, mlflow_port: int) -> None:
    service, model = f"http://127.0.0.1:{port}", _model(port)
    # MLflow's front page opens on something else.
    registered = f"http://127.0.0.1:{mlflow_port}/#/models/{quote(model['name'])}"
    print(f"\n  page      {service}    documentation of the API: {service}/docs\n  MLflow    {registered}")
    if model["registry"]["status"] in NO_MODEL:
        print(
            f"\nNo version is live. Give one the alias production at {registered}, "
            "or: python -m training promote VERSION"
        )
    else:
        print(f"\n  curl '{service}/users/{_some_user()}/recommendations?k=3'")
    print("\nTrain again, with what people have said: make repro")
    print("Ctrl-C ends both. Their logs are in .cache/.", flush=True)


def _some_user() -> str:
    import numpy as np

    return str(np.load(ROOT / "models" / "served" / "user_ids.npy", mmap_mode="r")[0])


if __name__ == "__main__":
    main()
