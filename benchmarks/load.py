"""Load by wrk, with one connection or many, for uniformly random users."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("request.lua")
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Request:
    """What is sent; each `%d` in path or body stands for a random user."""

    path: str
    body: str = ""

    @property
    def method(self) -> str:
        """POST where there is a body."""
        return "POST" if self.body else "GET"


@dataclass(frozen=True)
class Load:
    """What came of it: answers a second, latencies in ms, processor time in ms for an answer, failed requests."""

    rate: float
    p50: float
    p99: float
    p999: float
    answered: int
    errors: int
    processor_ms: float = 0


def require_wrk() -> None:
    """Exit with a sentence if wrk is missing."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed. On Debian and Ubuntu: sudo apt install wrk")


def run(port: int, request: Request, users: int, connections: int, seconds: int) -> Load:
    """Keep so many connections busy for so long."""
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--timeout", f"{TIMEOUT_SECONDS}s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}", "--"]
    command += [request.method, request.path, request.body, str(users), str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"wrk failed: {done.stderr or done.stdout}")
    found = json.loads(done.stdout.splitlines()[-1])
    errors = found["status"] + found["socket"] + found["timeout"]
    answered = found["requests"] - found["status"]
    rate = answered / found["microseconds"] * 1e6
    p50, p99, p999 = (found[name] / 1000 for name in ("p50", "p99", "p999"))
    return Load(rate, p50, p99, p999, answered, errors)
