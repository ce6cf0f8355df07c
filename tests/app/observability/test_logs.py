from pathlib import Path

import pytest

from tests.conftest import MakeSettings
from tests.service import service


@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_each_thing_has_one_line_also_those_of_the_server(
    make_settings: MakeSettings, tmp_path: Path, log_format: str
) -> None:
    with service(make_settings(log_format=log_format), tmp_path / "log") as (client, _):
        assert client.get("/no/such/route").status == 404
    lines = (tmp_path / "log").read_text().splitlines()
    for said in ("/no/such/route", "Started server process"):
        [line] = [line for line in lines if said in line]
        assert line.startswith("{") == (log_format == "json")
