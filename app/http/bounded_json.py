"""Reads JSON of few values, so that its reader never holds up other threads for long."""

import json
from collections.abc import Callable
from json import decoder, scanner
from typing import Any

Scan = Callable[[str, int], Any]


class BoundedDecoder(json.JSONDecoder):
    """For `json.loads(text, cls=BoundedDecoder, max_values=…)`: raises JSONDecodeError at the first value too many.

    It is the standard library's decoder in Python. The one in C reads a megabyte in one go, and no other thread runs
    for tens of milliseconds; this one is slower for each value, but ends early and can be interrupted.
    """

    def __init__(self, max_values: int) -> None:
        super().__init__()
        self._most = self._left = max_values
        self.parse_array = lambda start, scan: decoder.JSONArray(start, self._counted(scan))  # type: ignore[attr-defined]
        self.parse_object = lambda start, strict, scan, *rest: decoder.JSONObject(  # type: ignore[attr-defined]
            start, strict, self._counted(scan), *rest
        )
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    def _counted(self, scan: Scan) -> Scan:
        def scan_counted(text: str, index: int) -> Any:  # noqa: ANN401
            self._left -= 1
            if self._left < 0:
                raise json.JSONDecodeError(f"It has more than {self._most} values", text, index)
            return scan(text, index)

        return scan_counted
