"""Somebody who goes on telling the gateway what users like, while something is broken."""

import http.client
import json
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 30
FILM = "409"


@dataclass
class Writer:
    """A context: inside, one event after the other is sent, each until it is answered with 200."""

    port: int
    stored: dict[str, float] = field(default_factory=dict)  # when each event was answered with 200, by its id
    refusals: Counter[str] = field(default_factory=Counter)  # by code
    slowest: float = 0.0

    def __enter__(self) -> "Writer":
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _tell(self) -> None:
        event = _event()
        while not self._stopping.wait(PAUSE_SECONDS):
            began = time.monotonic()
            refusal = self._send(event)
            self.slowest = max(self.slowest, time.monotonic() - began)
            if refusal:
                self.refusals[refusal] += 1
            else:
                self.stored[event["event_id"]] = time.monotonic()
                event = _event()

    def _send(self, event: dict[str, str]) -> str:
        """Send the event on a connection of its own; returns the code of the refusal, or nothing."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", "/events", json.dumps({"events": [event]}), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "" if response.status == 200 else str(answer["error"]["code"])


def _event() -> dict[str, str]:
    event_id = str(uuid.uuid4())
    return {"event_id": event_id, "user_id": f"told-{event_id[:2]}", "item_id": FILM, "type": "like"}
