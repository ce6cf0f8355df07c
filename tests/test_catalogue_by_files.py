"""The catalogue by files: a CSV of changes goes to the service, and the items come back with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.routes.test_item_changes import replica, with_ready_lists
from tests.artifacts import write
from tests.client import Client
from tests.training.world import OF_FILMS, change_params
from training.__main__ import main
from training.data.raw.layouts import OWN
from training.editing import apply_changes
from training.errors import DataError
from training.export import ExportOptions, export
from training.lists.filters import ListFilters
from training.project import Project

ITEMS = "item_id,title,year,genres\n10,Amélie,2001,Comedy|Romance\n30,Toy Story 2,1999,Comedy\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = Project(tmp_path / "project")
    project.raw.mkdir(parents=True)
    (project.raw / OWN.items).write_text(ITEMS)
    (project.raw / OWN.ratings).write_text("user_id,item_id,rating\n1,10,5\n2,30,4\n")
    change_params(project, catalogue__items=OF_FILMS)
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/events.db")
    monkeypatch.setenv("CATALOGUE_KEY", "secret-of-ann")
    return project


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with replica(tmp_path / "service", f"sqlite:///{tmp_path}/events.db") as client:
        yield client


def apply(client: Client, text: str) -> str:
    Path("changes.csv").write_text(text)
    return apply_changes(Path("changes.csv"), f"http://127.0.0.1:{client.port}", "secret-of-ann")


def test_a_csv_of_changes_and_the_items_with_them(
    project: Project, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("whole.csv").write_text(
        'item_id,title,year,genres,available_from\n15,"Paths, and Glory",1957,War|Drama,2020-01-01\n30,Toy 2,,,\n'
    )
    main(["catalogue", "--apply", "whole.csv", "--url", f"http://127.0.0.1:{client.port}"])
    assert "2 items of whole.csv" in capsys.readouterr().out
    item = client.get("/items/15").json
    assert (item["title"], item["year"], item["genres"]) == ("Paths, and Glory", 1957, ["War", "Drama"])
    apply(client, "item_id,withdrawn\n10,true\n")
    assert client.get("/items/10").json["available"] is False
    assert (client.get("/items/10").json["title"], client.get("/items/30").json["genres"]) == ("Amélie", [])
    main(["catalogue", "--export", "merged.csv"])
    assert "3 items in merged.csv, 1 of them new and 1 changed since the files" in capsys.readouterr().out
    assert Path("merged.csv").read_text() == (
        'item_id,title,year,genres\n10,Amélie,2001,Comedy|Romance\n30,Toy 2,,\n15,"Paths, and Glory",1957,War|Drama\n'
    )


def test_lists_for_everybody_leave_out_what_is_withdrawn(tmp_path: Path, project: Project, client: Client) -> None:
    write(project.served, with_ready_lists())
    wish = ExportOptions(8, None, ListFilters())

    def films(folder: str) -> set[int]:
        import pandas as pd

        export(project, change_params(project), wish, tmp_path / folder)
        return set(pd.read_parquet(tmp_path / folder).item_id)

    before = films("before")
    assert 30 in before
    apply(client, "item_id,withdrawn\n30,true\n")
    assert films("after") == before - {30}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item_id,yaer\n10,1957\n", "has the column 'yaer'; the service's are title, .*year, genres"),
        pytest.param("item_id\n10\n", "has the columns item_id; expected item_id and others", marks=pytest.mark.long),
        ("item_id,year\n10,1957\n10,soon\n", "changes.csv, line 3: year is 'soon', which is no number"),
        ("item_id,year\n10,1957\n99,1957\n", r"changes.csv, line 3: .* answers 404 to PATCH /items/99: .*item_unknown"),
        ("item_id,title\n98,x\n99,\n", r"changes.csv, lines 2 to 3: .* answers 422 to POST /items"),
    ],
)
def test_a_row_that_the_service_refuses_is_named(project: Project, client: Client, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        apply(client, text)
    assert client.get("/items/98").status == 404


def test_without_a_key_or_a_service_a_sentence_says_so(project: Project) -> None:
    Path("changes.csv").write_text("item_id,title\n10,x\n")
    with pytest.raises(DataError, match="no key: set CATALOGUE_KEY"):
        apply_changes(Path("changes.csv"), "http://127.0.0.1:9", "")
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9 can't be reached"):
        apply_changes(Path("changes.csv"), "http://127.0.0.1:9", "key")
