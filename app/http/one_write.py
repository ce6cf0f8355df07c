"""Sends a whole answer in one write, if uvicorn's object that takes it is one that this file knows; else `send` does.

uvicorn writes head and body apart and checks every header: a system call more, and a fifth of a plain answer's time.
Source of the steps and their order: RequestResponseCycle.send in uvicorn/protocols/http/httptools_impl.py.
"""

import logging
from hashlib import sha256
from pathlib import Path

import uvicorn
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

logger = logging.getLogger(__name__)


def _is_known(file: str) -> bool:
    """Whether uvicorn's file is one that was read."""
    try:
        return sha256(Path(file).read_bytes()).hexdigest() in KNOWN_FILES
    except OSError:  # an installation without sources
        return False


# SHA-256 of httptools_impl.py in the versions whose file was read: 0.54.0.
KNOWN_FILES = frozenset({"1d4e1c579df4168433a61a01f10c628b31c1790e72dd9769d2b8633b22214033"})
IS_KNOWN = _is_known(httptools_impl.__file__)
OK_LINE = STATUS_LINE[200]

Headers = list[tuple[bytes, bytes]]


def warn_if_unknown() -> None:
    """Say that an upgrade of uvicorn costs speed until somebody has read its file."""
    if not IS_KNOWN:
        logger.warning(
            "Plain answers are slower with uvicorn %s, as app/http/one_write.py does not know its httptools_impl.py: "
            "install the version of requirements.lock, or compare `write` with RequestResponseCycle.send",
            uvicorn.__version__,
        )


def takes_an_answer(cycle: RequestResponseCycle) -> bool:
    """Whether the cycle takes a whole answer at once; else the answer must go through `send`."""
    if type(cycle) is not RequestResponseCycle or not IS_KNOWN or cycle.access_log or cycle.response_started:
        return False
    return not cycle.disconnected and not cycle.flow.write_paused and cycle.keep_alive


def write(cycle: RequestResponseCycle, answer: bytes) -> None:
    """Write an answer, from its status line to its body, and end the cycle."""
    cycle.response_started = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(answer)
    cycle.response_complete = True
    cycle.message_event.set()
    cycle.on_response()


def as_lines(headers: Headers) -> bytes:
    """Headers as they stand in an answer."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)
