"""What a connection answers by itself to a request that the application doesn't see."""

import json
from random import getrandbits

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.http.one_write import as_lines


def refusal(status: int, code: str, message: str) -> bytes:
    """An answer in the one shape of errors, the last of its connection."""
    error = {"code": code, "message": message, "request_id": f"{getrandbits(128):032x}"}
    return _last_answer(status, b"application/json", json.dumps({"error": error}).encode())


def _last_answer(status: int, kind: bytes, body: bytes) -> bytes:
    headers = [(b"content-type", kind), (b"connection", b"close"), (b"content-length", b"%d" % len(body))]
    return STATUS_LINE[status] + as_lines(headers) + b"\r\n" + body


NOT_HTTP = _last_answer(400, b"text/plain; charset=utf-8", b"Invalid HTTP request received.")
