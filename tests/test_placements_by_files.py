"""Placements by files: a YAML file goes to the service and comes back, and lists for everybody follow them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact import Artifact, Trends
from app.contract.trends import DAY
from tests.app.conftest import ids
from tests.app.routes.test_item_changes import replica, with_ready_lists
from tests.artifacts import write
from tests.client import Client
from tests.test_catalogue_by_files import project as project
from training.__main__ import main
from training.errors import DataError
from training.placing import apply_placements
from training.project import Project

PLACEMENTS = """\
front:
  trial:
    against: home
    share: 0.5
home:
  boosts:
  - filter: genres:Horror
    by: 1.5
  pins:
  - item_id: 70
    rank: 2
    until: 2100-01-01
  fallback: trending
  k: 4
horror:
  filter: genres:Horror
  pins:
  - item_id: 999
    rank: 1
  overridable: []
"""


def with_trend() -> Artifact:
    likes = np.array([[0, 0, 0, 0, 0, 4, 0, 9]], dtype=np.float32)
    return replace(with_ready_lists(), trending=likes, trends=Trends([30 * DAY], 1.7e9))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with replica(tmp_path / "service", f"sqlite:///{tmp_path}/events.db", with_trend()) as client:
        yield client


def run(client: Client, command: str, file: str) -> None:
    main(["placements", command, file, "--url", f"http://127.0.0.1:{client.port}"])


def test_a_yaml_file_of_placements_and_the_lists_by_them(
    project: Project, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("placements.yaml").write_text(PLACEMENTS)
    run(client, "--apply", "placements.yaml")
    said = capsys.readouterr().out
    assert "placements: 3 of 3 placements of placements.yaml are new or changed at" in said
    assert "horror, pins: The film '999' is unknown" in said
    run(client, "--export", "exported.yaml")
    assert Path("exported.yaml").read_text() == PLACEMENTS
    Path("less.yaml").write_text(PLACEMENTS.partition("horror:")[0].replace("k: 4", "k: 3"))
    run(client, "--apply", "less.yaml")
    assert "1 of 2 placements of less.yaml" in (said := capsys.readouterr().out)
    assert "not in the file, so left as they are: horror" in said
    write(project.served, with_trend())
    main(["export", "--out", "lists", "--placement", "home"])
    lists = pd.read_parquet("lists")
    for user in lists.user_id.unique():
        asked = ids(client, f"/users/{user}/recommendations?placement=home")
        assert lists[lists.user_id == user].item_id.tolist() == asked
        assert len(asked) == 3 or user != 1
    assert lists[lists.user_id == 3].item_id.tolist() == [80, 70, 60]  # what trends, around the pin


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--placement", "hme"], "--placement 'hme': the store at EVENTS_URL has home"),
        (["--placement", "home", "--k", "5"], "--k 5: the placement 'home' says how long a list is; leave it out"),
    ],
)
def test_lists_by_no_placement_or_of_a_length_it_does_not_leave_open_are_refused(
    project: Project, client: Client, arguments: list[str], message: str
) -> None:
    write(project.served, with_ready_lists())
    Path("placements.yaml").write_text("home: {overridable: []}\n")
    run(client, "--apply", "placements.yaml")
    with pytest.raises(SystemExit, match=message):
        main(["export", "--out", "lists", *arguments])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- home\n", "placements.yaml holds no placements"),
        ("home: {k: [}\n", "placements.yaml can't be read"),
        ("home: {boosts: [{filter: 'genres:Horror', by: 1.0e+9}]}\n", "placements.yaml, home: .* answers 422"),
    ],
)
def test_a_file_or_a_placement_that_makes_no_sense_is_named(
    project: Project, client: Client, text: str, message: str
) -> None:
    Path("placements.yaml").write_text(text)
    with pytest.raises(DataError, match=message):
        apply_placements(Path("placements.yaml"), f"http://127.0.0.1:{client.port}", "secret-of-ann")
