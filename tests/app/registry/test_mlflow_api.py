import base64
import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, SecretStr

from app.model.errors import DownloadFailedError, ModelMissingError, RegistryUnavailableError
from app.registry.mlflow_api import MlflowApi, RemoteFile
from tests.conftest import MakeSettings

ABSENT = ModelMissingError("absent")


class Whatever(BaseModel):
    """Any object."""


class Recorder(BaseHTTPRequestHandler):
    """Answers {} and keeps the headers it was sent, or leads to the address in `elsewhere`, with `body` to read."""

    seen: list[str | None]
    unread: list[int]  # redirects whose body nobody read to its end
    answer = b"{}"
    elsewhere: str | None = None
    status, body = 307, b""

    def do_GET(self) -> None:
        """Answer."""
        self.seen.append(self.headers["Authorization"])
        if self.elsewhere is not None:
            self.send_response(self.status)
            self.send_header("Location", self.elsewhere)
            self.end_headers()
            try:
                self.wfile.write(self.body)
            except ConnectionError:
                self.unread.append(self.status)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening(**attributes: object) -> Iterator[HTTPServer]:
    handler = type("Handler", (Recorder,), {"seen": [], "unread": [], **attributes})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def seen(server: HTTPServer) -> list[str | None]:
    """What each request said about who sent it."""
    found: list[str | None] = server.RequestHandlerClass.seen  # type: ignore[attr-defined]
    return found


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("user_info", "fields", "sent"),
    [
        ("", {}, None),
        ("ann:p%40ss@", {}, basic("ann:p@ss")),
        ("", {"mlflow_tracking_username": "ann", "mlflow_tracking_password": SecretStr("secret")}, basic("ann:secret")),
        ("", {"mlflow_tracking_token": SecretStr("t0ken")}, "Bearer t0ken"),
    ],
)
def test_the_server_learns_who_asks(
    make_settings: MakeSettings, user_info: str, fields: dict[str, object], sent: str | None
) -> None:
    with listening() as server:
        uri = f"http://{user_info}127.0.0.1:{server.server_port}/"
        MlflowApi(make_settings(mlflow_tracking_uri=uri, **fields)).get("any", Whatever, ABSENT)
        assert seen(server) == [sent]


def test_another_server_that_the_first_leads_to_does_not_learn_it(make_settings: MakeSettings) -> None:
    with listening() as other, listening(elsewhere=f"http://127.0.0.1:{other.server_port}/") as first:
        uri = f"http://ann:secret@127.0.0.1:{first.server_port}"
        MlflowApi(make_settings(mlflow_tracking_uri=uri)).get("any", Whatever, ABSENT)
        assert (len(seen(first)), seen(other)) == (1, [None])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_body_of_a_redirect_is_not_read(make_settings: MakeSettings, status: int) -> None:
    with listening() as other:
        elsewhere = f"http://127.0.0.1:{other.server_port}/"
        with listening(elsewhere=elsewhere, status=status, body=b" " * (1 << 26)) as first:
            uri = f"http://127.0.0.1:{first.server_port}"
            MlflowApi(make_settings(mlflow_tracking_uri=uri)).get("any", Whatever, ABSENT)
        assert seen(other) == [None]
    assert first.RequestHandlerClass.unread == [status]  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"\xff"])
def test_an_answer_that_is_no_object_is_reported(make_settings: MakeSettings, answer: bytes) -> None:
    with listening(answer=answer) as server:
        uri = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(RegistryUnavailableError, match=f"MLflow at {uri} gave an answer that MLflow never gives: "):
            MlflowApi(make_settings(mlflow_tracking_uri=uri)).get("any", Whatever, ABSENT)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 500 No\r\n\r\n"]
)
def test_a_server_whose_answer_drips_counts_as_down(make_settings: MakeSettings, head: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_drip, args=(listener, head))
        thread.start()
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(RegistryUnavailableError, match="timed out"):
            MlflowApi(make_settings(mlflow_tracking_uri=uri, registry_timeout_seconds=1)).get("any", Whatever, ABSENT)
        thread.join()


def _drip(listener: socket.socket, head: bytes) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        connection.sendall(head)
        for _ in range(400):  # forty times as long as the client is patient
            connection.sendall(b" ")
            time.sleep(0.1)


def test_only_files_with_plain_names_are_listed(make_settings: MakeSettings) -> None:
    names = ["a.npy", "../b.npy", "/c.npy", "d/e.npy", "..", ".", "", "f.npy"]
    files = [{"path": name, "is_dir": False, "file_size": 3} for name in names]
    answer = json.dumps({"files": [*files, {"path": "folder", "is_dir": True}]}).encode()
    with listening(answer=answer) as server:
        api = MlflowApi(make_settings(mlflow_tracking_uri=f"http://127.0.0.1:{server.server_port}"))
        assert api.list_files("any") == [RemoteFile(path=name, file_size=3) for name in ("a.npy", "f.npy")]


@pytest.mark.parametrize("size", [0, 2, 4, 1 << 40])
def test_a_file_of_another_size_than_was_listed_is_an_error(
    make_settings: MakeSettings, tmp_path: Path, size: int
) -> None:
    with listening(answer=b"abc") as server:
        api = MlflowApi(make_settings(mlflow_tracking_uri=f"http://127.0.0.1:{server.server_port}"))
        api.save("any", tmp_path / "right", 3)
        assert (tmp_path / "right").read_bytes() == b"abc"
        with pytest.raises(DownloadFailedError, match=f"wrong has {size} bytes, but 3 were received"):
            api.save("any", tmp_path / "wrong", size)


def test_the_certificate_is_checked_with_the_authorities_of_the_settings(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    certificate = tmp_path / "server.pem"
    certificate.write_bytes(_self_signed())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with listening() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        uri = f"https://127.0.0.1:{server.server_port}"
        with pytest.raises(RegistryUnavailableError, match="certificate verify failed"):
            MlflowApi(make_settings(mlflow_tracking_uri=uri)).get("any", Whatever, ABSENT)
        for fields in ({"mlflow_tracking_server_cert_path": certificate}, {"mlflow_tracking_insecure_tls": True}):
            MlflowApi(make_settings(mlflow_tracking_uri=uri, **fields)).get("any", Whatever, ABSENT)


def _self_signed() -> bytes:
    """A key and its certificate for 127.0.0.1, PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mlflow")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *plain) + certificate.public_bytes(serialization.Encoding.PEM)
