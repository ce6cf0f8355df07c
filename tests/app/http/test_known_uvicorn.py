"""An upgrade of uvicorn may cost speed, and never an answer."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn

from app.http.known_uvicorn import PROTOCOL, warn_if_unknown
from tests.app.http import test_one_write
from tests.app.http.test_one_answer import STARTS, UPGRADES, answers, exchange, pieces, request
from tests.artifacts import write
from tests.client import put_in_cache
from tests.conftest import MakeSettings
from tests.service import service

LAST = b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-Request-ID: r2\r\nConnection: close\r\n\r\n"


def test_the_installed_uvicorn_was_read(caplog: pytest.LogCaptureFixture) -> None:
    warn_if_unknown()
    assert not caplog.messages
    assert PROTOCOL == "app.http.protocol:LimitedProtocol"


@pytest.mark.long
def test_an_uvicorn_that_nobody_has_read_gives_each_request_its_answer(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    changed = shutil.copytree(Path(uvicorn.__file__).parent, tmp_path / "changed" / "uvicorn")
    with (changed / "protocols/http/httptools_impl.py").open("a") as file:
        file.write("\nclass HttpToolsProtocol: ...\n")
    settings = make_settings(events_url=f"sqlite:///{tmp_path}/events.db", api_keys="key", catalogue_keys="ann:key")
    put_in_cache(settings, write(tmp_path / "served"))
    with service(settings, tmp_path / "log", {"PYTHONPATH": str(changed.parent)}) as (client, _):
        for start, upgrade, chunked in itertools.product(STARTS, UPGRADES, (False, True)):
            first = request(1, start, 5000, upgrade, chunked=chunked)
            got = answers(exchange(client, pieces(first.bytes + LAST, [2500]), half_closes=False))
            assert got == [(first.status, "r1"), (200, "r2")]
    assert f"With uvicorn {uvicorn.__version__} answers are slower" in (tmp_path / "log").read_text()


@pytest.mark.long
@pytest.mark.parametrize("wanted", ["uvicorn", f"uvicorn<{uvicorn.__version__}"], ids=["newest", "the one before"])
def test_another_uvicorn_costs_no_answer(tmp_path: Path, wanted: str) -> None:
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path), wanted]
    subprocess.run(install, check=True, timeout=120)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    found = "import uvicorn; assert uvicorn.__file__.startswith(__import__('sys').argv[1]), uvicorn.__file__"
    subprocess.run([sys.executable, "-c", found, str(tmp_path)], env=environment, check=True, timeout=60)
    which = "on_the_wire or in_many_pieces or reading"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", which, test_one_write.__file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
