"""Run the pipeline, then MLflow and the service, until Ctrl-C: what `make serve` does once all is installed."""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
READY_WITHIN_SECONDS = 120
STOP_WITHIN_SECONDS = 10
NO_MODEL = ("model_missing", "alias_missing")


class Server:
    """A server process with all that it starts itself, in a process group of its own.

    So Ctrl-C reaches only this script, which then ends the whole group.
    """

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], ready_url: str) -> None:
        self.name, self.ready_url = name, ready_url
        self.log = ROOT / ".cache" / f"{name}.log"
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [PYTHON, "-m", *command],
                cwd=ROOT,
                env=os.environ | dict(environment),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return once the server answers; exit with a sentence if it ends or takes too long."""
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self._answers():
            self.check()
            if time.monotonic() > deadline:
                sys.exit(f"{self.name} was not ready within {READY_WITHIN_SECONDS} seconds; see {self.log}")
            time.sleep(0.1)

    def check(self) -> None:
        """Exit with a sentence if the server has ended."""
        if self.process.poll() is not None:
            sys.exit(f"{self.name} ended by itself with exit code {self.process.returncode}; see {self.log}")

    def end(self) -> None:
        """End the group, kindly first."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_WITHIN_SECONDS)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.ready_url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            return False
        return True


def main() -> None:
    """Start everything, say where it is, and end it all together."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with contextlib.suppress(KeyboardInterrupt):
        _run_pipeline()
        _serve(options.port, options.mlflow_port)
    print("\nStopped.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    return parser.parse_args()


def _run_pipeline() -> None:
    # The pipeline writes to the store that the server below opens, whatever server the environment names.
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    done = subprocess.run([PYTHON, "-m", "dvc", "repro"], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit("The pipeline failed, see above; nothing was started.")


def _serve(port: int, mlflow_port: int) -> None:
    servers: list[Server] = []
    try:
        servers.append(_mlflow(mlflow_port))
        servers.append(_service(port, mlflow_port))
        for server in servers:
            server.wait_until_ready()
        _announce(port, mlflow_port, _model_status(port))
        while True:
            time.sleep(0.5)
            for server in servers:
                server.check()
    finally:
        for server in reversed(servers):
            server.end()


def _mlflow(port: int) -> Server:
    store = ["--backend-store-uri", f"sqlite:///{ROOT / 'mlflow.db'}", "--artifacts-destination", str(ROOT / "mlruns")]
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *store]
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return Server("mlflow", command, environment, f"http://127.0.0.1:{port}/health")


def _service(port: int, mlflow_port: int) -> Server:
    command = ["uvicorn", "--factory", "app.main:create_app", "--host", "127.0.0.1", "--port", str(port)]
    environment = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{mlflow_port}"}
    return Server("service", command, environment, f"http://127.0.0.1:{port}/health/live")


def _model_status(port: int) -> str:
    """Wait until the service has a model, or knows that the registry has none for it; `/model` says which."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/model", timeout=5) as answer:
            model = json.load(answer)
        status: str = model["registry"]["status"]
        if model["version"] is not None or status in NO_MODEL:
            return status
        time.sleep(0.1)
    sys.exit(f"the service had no model within {READY_WITHIN_SECONDS} seconds: {model['last_problem']}")


def _announce(port: int, mlflow_port: int, status: str) -> None:
    service, mlflow = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{mlflow_port}"
    print(f"\n  service   {service}    documentation: {service}/docs\n  MLflow    {mlflow}")
    if status in NO_MODEL:
        print(
            f"\nNo version is live. Give one the alias production at {mlflow}, or: python -m training promote VERSION"
        )
    else:
        print(f"\n  curl '{service}/users/{_some_user()}/recommendations?k=3'")
    print("\nCtrl-C ends both. Their logs are in .cache/.", flush=True)


def _some_user() -> str:
    import numpy as np

    return str(np.load(ROOT / "models" / "served" / "user_ids.npy", mmap_mode="r")[0])


if __name__ == "__main__":
    main()
