"""Check that ports are free: ports.py NAME PORT [NAME PORT ...]."""

import socket
import sys


def main(arguments: list[str]) -> None:
    """Exit with one sentence at the first port that is invalid, named twice, or in use on 127.0.0.1."""
    taken: dict[int, str] = {}
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        if not (value.isdecimal() and 0 < int(value) < 65536):
            sys.exit(f"{name} must be a port number from 1 to 65535, not {value!r}.")
        if int(value) in taken:
            sys.exit(f"{taken[int(value)]} and {name} are both {value}: choose two different ports.")
        taken[int(value)] = name
        if not _is_free(int(value)):
            sys.exit(
                f"Port {value} is in use: stop what uses it, or choose another: make serve {name}={int(value) + 1}"
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
