"""A door before a server: while it is shut, the port is a closed one, as if the server were down."""

import contextlib
import socket
import threading
from types import TracebackType

from tests.processes import free_port

BLOCK = 1 << 16


class Door:
    """Passes connections on to a port of this machine while it is open."""

    def __init__(self, behind: int) -> None:
        self.port = free_port()
        self._behind = behind
        self._listener: socket.socket | None = None
        self._through: list[socket.socket] = []

    def __enter__(self) -> "Door":
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shut()

    def open(self) -> None:
        """Let connections through."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def shut(self) -> None:
        """Refuse connections, and break those that there are."""
        sockets = [*self._through, *([self._listener] if self._listener is not None else [])]
        self._listener, self._through = None, []
        for each in sockets:
            # Closing alone would leave a thread waiting in it.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._behind))
                self._through += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=[source, target], daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(BLOCK):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
