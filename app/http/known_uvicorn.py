"""Says whether uvicorn's file is one that our protocol was written for; any other uvicorn answers in its own way.

`LimitedProtocol` and `one_write.py` replace steps of that file. h11 is slower, and reads right what offers an upgrade.
"""

import logging
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import uvicorn

logger = logging.getLogger(__name__)


def _is_known(file: str | None) -> bool:
    """Whether this file of uvicorn has been read and found safe."""
    try:
        return file is not None and sha256(Path(file).read_bytes()).hexdigest() in KNOWN_FILES
    except OSError:  # an installation without sources
        return False


def _file() -> str | None:
    found = find_spec("uvicorn.protocols.http.httptools_impl")
    return None if found is None else found.origin


# SHA-256 of httptools_impl.py in the versions whose file was read: 0.54.0.
KNOWN_FILES = frozenset({"1d4e1c579df4168433a61a01f10c628b31c1790e72dd9769d2b8633b22214033"})
IS_KNOWN = _is_known(_file())
PROTOCOL = "app.http.protocol:LimitedProtocol" if IS_KNOWN else "h11"


def warn_if_unknown() -> None:
    """Say that an upgrade of uvicorn costs speed and limits until somebody has read its file."""
    if not IS_KNOWN:
        logger.warning(
            "With uvicorn %s answers are slower and slow clients are not cut off, as known_uvicorn.py doesn't know its "
            "httptools_impl.py: install the version of requirements.lock, or compare the file with one_answer.py, "
            "protocol.py and one_write.py",
            uvicorn.__version__,
        )
