import asyncio
import json
import re

import pytest

from app.observability import request_log
from app.observability.request_log import Answered, RequestLog

REQUEST = Answered("GET", "/users/{user_id}", "/users/%C3%A4", 200, 1.256, "id-1", "7")


@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_lines_are_written_together_soon_after_the_first_of_them(
    log_format: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(request_log, "FLUSH_SECONDS", 0.01)

    async def answer() -> None:
        log = RequestLog("INFO", log_format)
        for rounds in (1, 2):
            for _ in range(3):
                log.add(REQUEST)
            assert capsys.readouterr().err == ""
            written = ""
            while not written:
                await asyncio.sleep(0.005)
                written = capsys.readouterr().err
            assert written.count("\n") == 3, rounds

    asyncio.run(answer())


def test_a_plain_line_has_the_local_time_and_all_that_is_known() -> None:
    line = request_log._plain_line(REQUEST, 1_700_000_000.25)
    assert re.fullmatch(
        r"2023-11-1\d \d\d:\d\d:20,250 INFO app\.requests: GET /users/%C3%A4 200 1\.3 ms, route /users/\{user_id\}, "
        r"model 7, id id-1\n",
        line,
    )


def test_a_line_of_json_has_the_same_fields() -> None:
    fields = json.loads(request_log._json_line(REQUEST, 1_700_000_000.25))
    assert (fields["time"], fields["logger"]) == ("2023-11-14T22:13:20.250+00:00", "app.requests")
    assert fields["ms"] == 1.26
    assert {name: fields[name] for name in ("method", "route", "path", "status", "request_id", "model_version")} == {
        name: value for name, value in REQUEST._asdict().items() if name != "ms"
    }


@pytest.mark.parametrize(("level", "is_on"), [("DEBUG", True), ("INFO", True), ("WARNING", False), ("ERROR", False)])
def test_requests_are_logged_up_to_the_level_info(level: str, is_on: bool) -> None:
    assert RequestLog(level, "plain").is_on is is_on
