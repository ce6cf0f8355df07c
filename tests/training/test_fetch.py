import hashlib
import re
from pathlib import Path

import pytest

from tests.processes import free_port
from tests.training.data.archives import (
    CSV,
    DAT,
    MOVIELENS,
    OWN,
    TAB,
    Answer,
    Files,
    archive,
    fetch_params,
    needs_movielens,
    serving,
    write,
)
from tests.training.world import COLUMNS
from training.data import movielens
from training.data.raw import read_items, read_ratings
from training.errors import DataError
from training.fetch import fetch


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIELENS_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A destination that holds the result of an earlier fetch."""
    return write(tmp_path / "data" / "raw", {"interactions.csv": "former"})


def get(
    source: str, destination: Path, csv_folder: Path | str = "data/own", base_url: str = movielens.BASE_URL
) -> set[str]:
    """Fetch and list what has come."""
    fetch(fetch_params(source=source, csv_folder=str(csv_folder)), 42, destination, base_url=base_url)
    return {path.name for path in destination.iterdir()}


def assert_untouched(raw: Path) -> None:
    assert [path.name for path in raw.parent.iterdir()] == ["raw"]
    assert {path.name: path.read_text() for path in raw.iterdir()} == {"interactions.csv": "former"}


@pytest.mark.long
def test_the_sample_is_the_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert get("sample", tmp_path / name) == {"interactions.csv", "items.csv"}
    one, two = ((tmp_path / name / "interactions.csv").read_bytes() for name in ("one", "two"))
    assert one == two


def test_the_sample_can_be_read_and_has_new_films_without_ratings(raw: Path) -> None:
    get("sample", raw)
    ratings, items = read_ratings(raw), read_items(raw, COLUMNS)
    assert items is not None
    assert len(items) >= 800
    assert 110_000 < len(ratings) < 130_000
    unrated = items[~items["item_id"].isin(ratings["item_id"])]
    assert len(unrated) >= 20
    assert unrated["year"].median() >= items["year"].quantile(0.95)


def test_own_files_are_copied_as_they_are(tmp_path: Path, raw: Path) -> None:
    own = write(tmp_path / "own", {"ratings.csv": OWN["interactions.csv"], "items.csv": OWN["items.csv"]})
    assert get("csv", raw, own) == {"interactions.csv", "items.csv"}
    assert (raw / "interactions.csv").read_text() == OWN["interactions.csv"]


def test_own_films_are_optional(tmp_path: Path, raw: Path) -> None:
    own = write(tmp_path / "own", {"ratings.csv": OWN["interactions.csv"]})
    assert get("csv", raw, own) == {"interactions.csv"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"ratings.csv": "user_id,item_id,rating\n1,1,four\n"},
            "ratings.csv, line 2: rating 'four' should be a number",
        ),
        ({"items.csv": "item_id,title\n1,\n"}, "items.csv, line 2: title '' should be a title"),
    ],
)
def test_a_wrong_value_is_named_where_the_person_can_correct_it(
    changes: dict[str, str], sentence: str, tmp_path: Path, raw: Path
) -> None:
    own = write(tmp_path / "own", {"ratings.csv": OWN["interactions.csv"], "items.csv": OWN["items.csv"], **changes})
    with pytest.raises(DataError, match=re.escape(f"{own}/{sentence}; correct this and run again")):
        get("csv", raw, own)
    assert_untouched(raw)


@pytest.mark.parametrize("name", ["Items.csv", "items.CSV", "items.csv ", "Ratings.csv"])
def test_a_file_with_almost_the_right_name_is_refused(name: str, tmp_path: Path, raw: Path) -> None:
    own = write(tmp_path / "own", {"ratings.csv": OWN["interactions.csv"], name: OWN["items.csv"]})
    with pytest.raises(DataError, match=f"'{name}' in .* should be called {name.strip().lower()}: rename it, or rem"):
        get("csv", raw, own)
    assert_untouched(raw)


@pytest.mark.parametrize("name", ["ratings.csv", "items.csv"])
def test_a_folder_or_a_broken_link_is_no_file(name: str, tmp_path: Path, raw: Path) -> None:
    own = write(tmp_path / "own", {"ratings.csv": OWN["interactions.csv"]})
    (own / name).unlink(missing_ok=True)
    (own / name).symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match=rf"{name} is a link that leads nowhere: put the file there, or remove it"):
        get("csv", raw, own)
    (own / name).unlink()
    (own / name).mkdir()
    with pytest.raises(DataError, match=rf"{name} is not a file: put the file there, or remove it"):
        get("csv", raw, own)
    assert_untouched(raw)


def test_a_folder_of_ratings_is_copied_for_spark_and_refused_by_pandas(tmp_path: Path, raw: Path) -> None:
    own = write(tmp_path / "own", {"items.csv": OWN["items.csv"]})
    write(own / "ratings.csv", {"a.csv": "1", "b.csv": "2"})
    assert get("csv", raw, own) == {"interactions.csv", "items.csv"}
    assert {path.name for path in (raw / "interactions.csv").iterdir()} == {"a.csv", "b.csv"}
    with pytest.raises(DataError, match=r"interactions\.csv is a folder.*only engine: spark reads"):
        read_ratings(raw)


def test_missing_own_ratings_are_named_with_the_remedy(tmp_path: Path, raw: Path) -> None:
    with pytest.raises(
        DataError, match=r"nowhere/ratings\.csv doesn't exist; put your ratings there as user_id,item_i"
    ):
        get("csv", raw, tmp_path / "nowhere")
    assert_untouched(raw)


@pytest.mark.parametrize(
    ("source", "files"), [("ml-latest-small", CSV), ("ml-1m", DAT), ("ml-10m", DAT), ("ml-100k", TAB)]
)
def test_an_archive_is_downloaded_and_only_ratings_and_films_are_kept(
    source: str, files: Files, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = archive(files)
    known = movielens.Archive(movielens.ARCHIVES[source].layout, hashlib.md5(content).hexdigest())  # noqa: S324 - as published
    monkeypatch.setitem(movielens.ARCHIVES, source, known)
    with serving(Answer(content)) as url:
        assert get(source, raw, base_url=url) == set(files)
    assert len(read_ratings(raw)) == 3


def test_folders_named_in_an_archive_are_not_trusted(tmp_path: Path) -> None:
    content = archive({"movies.csv": CSV["movies.csv"], "../../ratings.csv": CSV["ratings.csv"]})
    with serving(Answer(content)) as url:
        assert get("ml-latest-small", tmp_path / "data" / "raw", base_url=url) == set(CSV)
    assert not list(tmp_path.glob("ratings.csv"))


@pytest.mark.parametrize(
    ("source", "answer", "sentence"),
    [
        (
            "ml-1m",
            Answer(archive(DAT)),
            "has md5 [0-9a-f]{32}, but GroupLens published c4d9eecfca2ab87c1945afe126590906",
        ),
        ("ml-1m", Answer(b"<!DOCTYPE html><title>Log in</title>"), "is an HTML page instead of a zip archive"),
        ("ml-latest-small", Answer(archive(CSV)[:-30]), r"is truncated or not a zip archive \([0-9,]+ bytes\); run"),
        ("ml-latest-small", Answer(b""), r"is truncated or not a zip archive \(0 bytes\)"),
        ("ml-latest-small", Answer(archive(DAT)), "lacks ratings.csv, it holds README.txt, movies.dat, ratings.dat"),
        ("ml-latest-small", Answer(b"gone", 404), "answered with status 404; check the network, or set MOVIELENS_DIR"),
        ("ml-latest-small", Answer(archive(CSV), promised=9_999), "could not be downloaded .peer closed connection"),
    ],
)
def test_a_bad_download_is_told_and_leaves_everything_as_it_was(
    source: str, answer: Answer, sentence: str, raw: Path
) -> None:
    with serving(answer) as url, pytest.raises(DataError, match=rf"^{url}/{source}\.zip {sentence}"):
        get(source, raw, base_url=url)
    assert_untouched(raw)


def test_a_file_damaged_inside_the_archive_is_told(raw: Path) -> None:
    content = bytearray(archive(CSV))
    content[content.index(b"ratings.csv") + 20] ^= 0xFF
    with serving(Answer(bytes(content))) as url, pytest.raises(DataError, match=r"ml-latest-small\.zip is damaged \("):
        get("ml-latest-small", raw, base_url=url)
    assert_untouched(raw)


def test_without_network_the_remedy_is_a_local_folder(raw: Path) -> None:
    sentence = r"could not be downloaded \(.*refused.*\); check the network, or set MOVIELENS_DIR to a folder that"
    with pytest.raises(DataError, match=sentence):
        get("ml-1m", raw, base_url=f"http://127.0.0.1:{free_port()}")
    assert_untouched(raw)


@pytest.mark.parametrize("unpacked", ["ml-10m", "ml-10M100K", "."])
def test_an_unpacked_archive_is_found(
    unpacked: str, tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "local" / unpacked, {**DAT, "tags.dat": ""})
    monkeypatch.setenv("MOVIELENS_DIR", str(tmp_path / "local"))
    assert get("ml-10m", raw) == set(DAT)


def test_a_bad_local_archive_is_told_with_its_path(tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = write(tmp_path / "local", {"ml-1m.zip": archive(DAT)})
    monkeypatch.setenv("MOVIELENS_DIR", str(local))
    with pytest.raises(
        DataError, match=r"local/ml-1m\.zip has md5 .* replace it by a fresh download from https://files"
    ):
        get("ml-1m", raw)
    assert_untouched(raw)


def test_a_local_folder_without_the_archive_is_told(tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIELENS_DIR", str(tmp_path))
    with pytest.raises(DataError, match=r"holds neither ml-10m\.zip nor ml-10M100K/ratings\.dat with movies\.dat; put"):
        get("ml-10m", raw)
    assert_untouched(raw)


def test_a_destination_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(DataError, match=r"data/raw could not be filled: .*; check permissions and free space"):
        get("sample", tmp_path / "data" / "raw")


@needs_movielens
def test_the_real_small_movielens_archive_is_read(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIELENS_DIR", str(MOVIELENS))
    assert get("ml-latest-small", raw) == {"ratings.csv", "movies.csv"}
    ratings, items = read_ratings(raw), read_items(raw, COLUMNS)
    assert items is not None
    assert len(ratings) > 90_000
    assert items["year"].isna().mean() < 0.01
    matrix = items[items["item_id"] == 2571].iloc[0]
    assert (matrix["title"], matrix["year"], matrix["genres"]) == ("The Matrix", 1999, ["Action", "Sci-Fi", "Thriller"])
