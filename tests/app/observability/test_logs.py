import json
import logging
import sys
from pathlib import Path

import pytest

from app.observability.logs import MaskedFormatter, json_line
from tests.conftest import MakeSettings
from tests.service import service


@pytest.mark.long
@pytest.mark.parametrize("log_format", ["json", pytest.param("plain", marks=pytest.mark.long)])
def test_each_thing_has_one_line_also_those_of_the_server(
    make_settings: MakeSettings, tmp_path: Path, log_format: str
) -> None:
    with service(make_settings(log_format=log_format), tmp_path / "log") as (client, _):
        assert client.get("/no/such/route").status == 404
    lines = (tmp_path / "log").read_text().splitlines()
    for said in ("/no/such/route", "Started server process"):
        [line] = [line for line in lines if said in line]
        assert line.startswith("{") == (log_format == "json")


def test_a_json_line_has_the_time_in_utc_to_the_millisecond_and_its_fields_last() -> None:
    line = json_line(1_700_000_000.25, "INFO", "app.x", "said", {"status": 200, "path": "/ä"})
    assert list(json.loads(line).items()) == [
        ("time", "2023-11-14T22:13:20.250+00:00"),
        ("level", "INFO"),
        ("logger", "app.x"),
        ("message", "said"),
        ("status", 200),
        ("path", "/ä"),
    ]
    assert json.loads(json_line(1_700_000_061.75, "INFO", "", "", {}))["time"] == "2023-11-14T22:14:21.750+00:00"


def test_a_record_s_fields_and_exception_are_keys_of_its_line() -> None:
    def line(**changes: object) -> dict[str, object]:
        fields = {"name": "app.x", "levelname": "ERROR", "levelno": 40, "msg": "no %(what)s", **changes}
        formatter = MaskedFormatter(lambda line: line, as_json=True)
        parsed: dict[str, object] = json.loads(formatter.format(logging.makeLogRecord(fields)))
        return {name: value for name, value in parsed.items() if name not in ("time", "level", "logger")}

    assert line(args={"what": "store"}) == {"message": "no store", "what": "store"}
    assert line(msg="no %s", args=("store",)) == {"message": "no store"}
    try:
        raise ValueError("a bug")
    except ValueError:
        found = line(msg="it failed", args=None, exc_info=sys.exc_info())
    assert str(found["exception"]).startswith("Traceback")
    assert str(found["exception"]).endswith("ValueError: a bug")
