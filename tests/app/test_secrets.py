"""A random secret in every setting, and whatever may fail: no answer, log line, metric or trace holds it."""

import json
import random
import string
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import quote

import pytest

from app.settings import Settings
from tests.app.observability.test_tracing import collecting
from tests.artifacts import write
from tests.client import put_in_cache
from tests.conftest import MakeSettings
from tests.every_route import assert_every_route_answers
from tests.processes import wait_until
from tests.service import service
from tests.strange_registry import Reply, StrangeRegistry, names_a_version, ok, strange_registry

# What a password may hold; each of them has broken something.
ALPHABET = string.ascii_letters + string.digits + "@%/?#&:+= \\\"'é"


def _head(line: str) -> bytes:
    return f"HTTP/1.1 {line}\r\n".encode("latin-1", "replace")


def tags(text: str) -> list[dict[str, str]]:
    return [{"key": key, "value": text} for key in ("decision", "gate_reason", "gate_metric")]


# Each answers with what it was sent.
FAULTS: dict[str, Reply] = {
    "an error page": lambda _, sent: _head("500 Error") + f"\r\n<h1>{sent}</h1>".encode(),
    "a reason": lambda _, sent: _head(f"502 {sent}") + b"\r\n",
    "no status": lambda _, sent: _head(sent),
    "no JSON": lambda _, sent: _head("200 OK") + b"\r\n" + sent.encode(),
    "no object": lambda _, sent: ok([sent]),
    "odd chunks": lambda _, sent: _head("200 OK") + b"Transfer-Encoding: chunked\r\n\r\n" + sent.encode(),
    "another place": lambda _, sent: _head("302 Found") + f"Location: http://{quote(sent)}:x/\r\n\r\n".encode(),
    "another scheme": lambda _, sent: _head("302 Found") + f"Location: ftp://h/{quote(sent)}\r\n\r\n".encode(),
    "nothing": lambda *_: b"",
    "an alias": lambda path, sent: names_a_version({"version": sent}, {})(path, sent),
    "a version": lambda path, sent: names_a_version({}, {"version": sent})(path, sent),
    "a time": lambda path, sent: names_a_version({}, {"creation_timestamp": sent})(path, sent),
    "a spelling": lambda path, sent: names_a_version({"alias": f"PRODUCTION{sent}"}, {})(path, sent),
    "tags": lambda path, sent: names_a_version(
        {"version": "1"}, {"version": "1", "creation_timestamp": 0, "run_id": "", "tags": tags(sent)}
    )(path, sent),
    "files": lambda path, sent: (
        ok({"artifact_uri": f"mlflow-artifacts:/{sent}"})
        if "download-uri" in path
        else ok({"files": [{"path": sent, "is_dir": False, "file_size": "9"}]})
        if "/mlflow-artifacts/" in path
        else names_a_version({}, {})(path, sent)
    ),
}


class _Talkative(BaseRequestHandler):
    """A store of events that asks for the password and repeats it."""

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"R\0\0\0\x08\0\0\0\x03")  # send it as plain text
        sent = self.request.recv(4096)[5:].rstrip(b"\0")
        fields = b"SFATAL\0C28P01\0Mno " + sent + b"\0\0"
        self.request.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)


@contextmanager
def talkative_store() -> Iterator[int]:
    with ThreadingTCPServer(("127.0.0.1", 0), _Talkative) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def forms(secret: str) -> list[str]:
    """The ways in which a secret could be shown."""
    return [
        secret,
        quote(secret, safe=""),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        b64encode(secret.encode()).decode(),
    ]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_of_the_registry_and_the_store(make_settings: MakeSettings, tmp_path: Path, seed: int) -> None:
    secrets, shown = told_and_shown(make_settings, tmp_path, seed)
    for expected in (b"gave an answer that MLflow never gives", b'"decision":"', b"can't be read or written"):
        assert expected in b"".join(shown)
    for form in (form for secret in secrets for form in forms(secret)):
        assert not [text for text in shown if form.encode() in text], form


def told_and_shown(make_settings: MakeSettings, tmp_path: Path, seed: int) -> tuple[list[str], list[bytes]]:
    """The secrets of a service, and all that it shows while its registry and its store repeat them."""
    random_ = random.Random(seed)  # noqa: S311 - it shall come again
    secrets = ["".join(random_.choices(ALPHABET, k=20)).strip() for _ in range(7)]
    password, keys, events_keys, operator, editor, *others = (secret.replace(",", "") for secret in secrets)
    operator = "".join(random_.choices(string.ascii_letters, k=20))  # which a header of this test holds
    with strange_registry(FAULTS["nothing"]) as registry, talkative_store() as store, collecting() as collector:
        ways = [
            {"mlflow_tracking_token": others[0].replace("é", "e")},
            {"mlflow_tracking_username": "ann", "mlflow_tracking_password": others[0]},
            {"mlflow_tracking_uri": registry.uri.replace("//", f"//ann:{quote(others[0], safe='')}@")},
        ]
        settings = make_settings(
            **{
                "mlflow_tracking_uri": registry.uri,
                "mlflow_page_uri": f"https://ann:{quote(others[1], safe='')}@mlflow.example",
                "events_url": f"postgresql://ann:{quote(password, safe='')}@127.0.0.1:{store}/events",
                "api_keys": keys,
                "events_keys": events_keys,
                "catalogue_keys": f"ann:{editor}",
                "admin_token": operator,
                "log_format": ("plain", "json")[seed % 2],
                "log_level": "DEBUG",
                "model_poll_seconds": 3600,
                **ways[seed % 3],
            }
        )
        put_in_cache(settings, write(tmp_path / "served"))
        shown = seen_during_faults(settings, registry, collector.server_port, tmp_path / "log")
        shown += [name.encode() for name in collector.spans]
        shown += [str(attributes).encode() for attributes in collector.spans.values()]
    return [password, keys, events_keys, operator, editor, others[0], others[0].replace("é", "e"), others[1]], shown


def seen_during_faults(settings: Settings, registry: StrangeRegistry, collector: int, log: Path) -> list[bytes]:
    """All that the service shows."""
    assert settings.admin_token is not None
    assert settings.api_keys is not None
    assert settings.catalogue_keys is not None
    operator = {"Authorization": f"Bearer {settings.admin_token.get_secret_value()}"}
    key = {"X-API-Key": settings.api_keys.get_secret_value().encode().decode("latin-1")}
    shown = []
    with service(settings, log, {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}"}) as (client, _):
        wait_until(lambda: client.get("/health/ready").status == 200)
        for fault in FAULTS.values():
            registry.reply = fault
            answer = client.get("/model/reload", "POST", operator)
            assert answer.status == 200
            assert answer.json["version"] == "1"
            shown += [answer.body, client.get("/versions", headers=key).body]
        shown += assert_every_route_answers(client, key)
        for path in ("/events", "/items"):
            shown.append(client.get(path, "POST", key, b"[").body)
        editor = settings.catalogue_keys.get_secret_value().removeprefix("ann:").encode().decode("latin-1")
        shown.append(client.get("/items/10", "PATCH", {"X-API-Key": editor}, b'{"year": 1957}').body)
    return [*shown, log.read_bytes()]
