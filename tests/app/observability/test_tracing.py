import gzip
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.observability.tracing import OFF, tracing_config
from tests.artifacts import write
from tests.client import put_in_cache
from tests.conftest import MakeSettings
from tests.processes import PROJECT, wait_until
from tests.service import service

NEVER_LOADED = {"opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation"}


class Collector(ThreadingHTTPServer):
    """Takes what an OpenTelemetry collector takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.paths: set[str] = set()
        self.spans: dict[str, dict[str, str]] = {}
        self.services: set[str] = set()

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(named["service.name"])
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                self.spans[span.name] = {each.key: each.value.string_value for each in span.attributes}


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.take(self.path, body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as collector:
        Thread(target=collector.serve_forever, daemon=True).start()
        yield collector
        collector.shutdown()


def loaded(variables: Mapping[str, str], before: str = "") -> tuple[set[str], str]:
    """The modules of a service that was put together in a process of its own, and what it said."""
    code = f"import sys; {before}\nimport app.main; app.main.create_app(); print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=dict(variables), capture_output=True, text=True, check=True
    )
    return set(done.stdout.split()), done.stderr


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_off_is_all_off() -> None:
    assert not any(OFF.values())


@pytest.mark.long
@pytest.mark.parametrize(
    "variables",
    [
        {},
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, marks=pytest.mark.long),
        pytest.param({"OTEL_TRACES_EXPORTER": "none"}, marks=pytest.mark.long),
    ],
)
def test_without_the_variables_nothing_of_it_is_loaded(variables: Mapping[str, str]) -> None:
    # FastAPI itself imports the interfaces, opentelemetry-api; what makes and sends spans is never there.
    modules, said = loaded(variables)
    assert not NEVER_LOADED & modules
    assert said == ""


@pytest.mark.long
def test_without_the_package_a_sentence_says_what_to_install() -> None:
    modules, said = loaded(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, "sys.modules['opentelemetry.exporter'] = None"
    )
    assert said.endswith(
        "OpenTelemetry's variables are set, but its exporter is not installed and nothing is traced: "
        "pip install -r app/requirements-tracing.txt\n"
    )
    assert "opentelemetry.sdk" not in modules


@pytest.mark.parametrize(
    ("variables", "traced"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_variables_decide(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], traced: bool) -> None:
    monkeypatch.setattr("os.environ", dict(variables))
    assert tracing_config() == ({**OFF, "tracing": True, "auto_configure": True} if traced else OFF)


@pytest.mark.long
def test_a_request_is_a_span_named_by_its_route(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(model_poll_seconds=3600)
    put_in_cache(settings, write(tmp_path / "served"), "5")
    with collecting() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}
        with service(settings, tmp_path / "log", variables) as (client, _):
            for path in ("/users/1/recommendations?k=2", "/model", "/unheard-of"):
                client.get(path)
        # What was not sent is sent at the end.
        wait_until(lambda: "GET /model" in collector.spans)
    span = collector.spans["GET /users/{user_id}/recommendations"]
    assert (span["http.route"], span["url.path"]) == ("/users/{user_id}/recommendations", "/users/1/recommendations")
    assert "GET" in collector.spans  # no route
    assert collector.services == {"movie-recommender"}
    assert collector.paths == {"/v1/traces"}
