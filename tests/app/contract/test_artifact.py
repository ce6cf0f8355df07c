import json
import pickle
import stat
import tempfile
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from app.contract.artifact import LearnedEvents, Recipe
from app.contract.artifact_directory import content_hash, load_artifact, write_artifact
from app.contract.artifact_format import ARRAYS, CATALOGUE_ARRAYS, FORMAT_VERSION, MANIFEST, READY_ARRAYS, ArtifactError
from tests.app.contract.conftest import FILMS, READY
from tests.app.contract.hostile import list_file, list_hash, rewrite_manifest
from tests.artifacts import damage, film_of, make_artifact, write

STORE = "0f8fad5b-d9cb-469f-a165-70867728950e"
FILES = [f"{name}.npy" for name in ARRAYS | READY_ARRAYS] + [
    f"column_1_{name}.npy" for name in ("indptr", "codes", "names", "name_offsets")
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = make_artifact(seen={1: [0, 3]}, films=FILMS, seen_liked=np.array([False, True]), **READY)
    read = load_artifact(write(tmp_path / "served", written))
    for name in ARRAYS | READY_ARRAYS:
        of = "catalogue." * (name in CATALOGUE_ARRAYS) + name
        found, expected = attrgetter(of)(read), attrgetter(of)(written)
        np.testing.assert_array_equal(found, expected, err_msg=name)
        assert found.dtype == expected.dtype
    assert (read.recipe, read.events) == (written.recipe, None)
    assert [film_of(read.catalogue, row) for row in range(6)] == [
        film._replace(genres=list(film.genres)) for film in FILMS
    ]


@pytest.mark.parametrize("ids", [["", "a/b", "ä", "日本", "😀"], [-(2**63), -1, 0, 2**63 - 1]])
def test_ids_may_be_any_text_or_int64(tmp_path: Path, ids: list[Any]) -> None:
    read = load_artifact(write(tmp_path / "served", make_artifact(user_ids=ids, item_ids=ids)))
    assert read.user_ids.tolist() == sorted(ids)
    assert read.item_ids.tolist() == sorted(ids)


def test_an_artifact_in_which_nobody_has_seen_anything_is_read(tmp_path: Path) -> None:
    assert load_artifact(write(tmp_path / "served")).seen_indices.tolist() == []


def test_equal_artifacts_have_equal_bytes(tmp_path: Path) -> None:
    first, second = write(tmp_path / "one"), write(tmp_path / "two")
    assert content_hash(first) == content_hash(second)
    assert content_hash(write(tmp_path / "three", make_artifact(seed=1))) != content_hash(first)


def test_the_text_of_the_manifest_follows_from_its_content(directory: Path) -> None:
    text = (directory / MANIFEST).read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def test_writing_again_replaces_the_former_artifact(directory: Path) -> None:
    write_artifact(directory, make_artifact(seed=1))
    np.testing.assert_array_equal(load_artifact(directory).item_biases, make_artifact(seed=1).item_biases)
    assert [path.name for path in directory.parent.iterdir()] == ["served"]


def test_a_refused_write_leaves_the_former_artifact(directory: Path) -> None:
    before = content_hash(directory)
    with pytest.raises(ArtifactError, match=r"item_biases\.npy holds NaN"):
        write_artifact(directory, make_artifact(item_biases=np.full(6, np.nan, dtype=np.float32)))
    assert content_hash(directory) == before
    assert [path.name for path in directory.parent.iterdir()] == ["served"]


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_missing_file_is_named(directory: Path, name: str) -> None:
    (directory / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is missing"):
        load_artifact(directory)


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_truncated_file_is_named(directory: Path, name: str) -> None:
    content = (directory / name).read_bytes()
    (directory / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtifactError, match=name):
        load_artifact(directory)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_named(directory: Path, name: str) -> None:
    damage(directory / name)
    with pytest.raises(ArtifactError, match=rf"{name} does not have the SHA-256"):
        load_artifact(directory)


@pytest.mark.parametrize("name", FILES)
def test_bytes_after_the_end_of_an_array_are_refused(directory: Path, name: str) -> None:
    with (directory / name).open("ab") as file:
        file.write(b"more")
    with pytest.raises(ArtifactError, match=rf"{name} does not have the SHA-256"):
        load_artifact(directory)


@pytest.mark.long
def test_what_the_checks_have_read_stays_in_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "large", make_artifact(range(50_000), dim=64)) / "user_embeddings.npy"
    artifact = load_artifact(path.parent)
    assert resident(path) == 0
    assert artifact.user_embeddings.any()
    assert resident(path) >= artifact.user_embeddings.nbytes


def resident(path: Path) -> int:
    """Bytes of a file that this process has in memory."""
    return sum(each.rss for each in psutil.Process().memory_maps() if each.path == str(path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": FORMAT_VERSION + 1}, "is of format 4, newer than 3: upgrade"),
        ({"format_version": "1"}, "has the format version '1'; expected 2 to 3"),
        ({"format_version": 0}, "has the format version 0"),
        ({"kind": "weather"}, "describes a 'weather', not a 'movie-recommender'"),
        ({"files": {}}, r"does not list user_ids\.npy"),
        ({"files": {f"{name}.npy": 1 for name in ARRAYS}}, r"does not list user_ids\.npy"),
        ({"seed": "1"}, r"lacks 'seed' \(int\)"),
        ({"events": None}, "has the events None; expected a store and until"),
        ({"events": {"store": STORE}}, "has the events .*; expected a store and until"),
        ({"events": {"store": STORE, "until": 1, "more": 1}}, "has the events .*; expected a store and until"),
        ({"events": {"store": STORE.upper(), "until": 1}}, "has the events' store '.*'; expected a UUID"),
        ({"events": {"store": "../x", "until": 1}}, r"has the events' store '\.\./x'; expected a UUID"),
        ({"events": {"store": 5, "until": 1}}, "has the events' store 5; expected a UUID"),
        ({"events": {"store": STORE, "until": -1}}, "has events until -1; expected a whole number from 0"),
        ({"events": {"store": STORE, "until": 1.0}}, "has events until 1.0; expected a whole number from 0"),
        ({"events": {"store": STORE, "until": True}}, "has events until True; expected a whole number from 0"),
        ({"event_types": {"love": {}}}, "has impossible event_types: 'love' is {}; expected means"),
        ({"min_rating": "4"}, "has the min_rating '4'; expected a number of stars"),
        ({"min_rating": True}, "has the min_rating True; expected a number of stars"),
        ({"min_rating": 1e12}, "has the min_rating 1000000000000.0; expected a number of stars"),
        ({"newcomer_weight": -1}, "has the newcomer_weight -1; expected a number from 0 to 1000"),
        ({"newcomer_weight": "1"}, "has the newcomer_weight '1'; expected a number from 0 to 1000"),
        ({"newcomer_weight": 1}, r"has a newcomer_weight, and does not list mean_user\.npy"),
        ({"seen_order": "time", "recency": 11}, "has the recency 11; expected a number from 0 to 10"),
        ({"seen_order": "time", "recency": None}, "has the recency None; expected a number from 0 to 10"),
        ({"seen_order": "item", "recency": 0.5}, "has a recency, and not the seen_order time"),
        ({"seen_order": ["time"]}, r"has the seen_order \['time'\]; expected item or time"),
        ({"aged_popularity": {"half_life": "1", "at": 0}}, "has the aged_popularity .*; expected half_life and at"),
        ({"aged_popularity": {"half_life": 1}}, "has the aged_popularity .*; expected half_life and at"),
        ({"trending": [86400]}, r"has the trending \[86400\]; expected half_lives and at"),
        ({"trending": {"half_lives": [], "at": 0}}, "has the trending .*; expected 1 to 20 half_lives"),
        (
            {"trending": {"half_lives": [0], "at": 0}},
            "has the trending .*; expected numbers of seconds, half_lives above",
        ),
        ({"trending": {"half_lives": [1], "at": 0}}, r"has 1 half_lives of trending, and lists no trending\.npy"),
        ({"item_fold_in": {"kappa": 1, "length": 1}}, "has the item_fold_in .*; expected kappa, length and half"),
        ({"item_fold_in": {"kappa": -1, "length": 1, "half": 30}}, "has the item_fold_in .*from 0 to 1e"),
        (
            {"item_fold_in": {"kappa": 1, "length": 1, "half": 30}},
            r"has an item_fold_in, and does not list fold_in_mean\.npy",
        ),
    ],
)
def test_a_wrong_manifest_is_explained(directory: Path, changes: dict[str, Any], message: str) -> None:
    rewrite_manifest(directory, **changes)
    with pytest.raises(ArtifactError, match=rf"manifest\.json {message}"):
        load_artifact(directory)


@pytest.mark.parametrize("content", ["[]", "no json", "[" * 100_000, "\udcff"])
def test_a_manifest_that_is_no_json_object_is_refused(directory: Path, content: str) -> None:
    (directory / MANIFEST).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArtifactError, match=r"manifest\.json is not"):
        load_artifact(directory)


def test_a_huge_manifest_is_refused_unread(directory: Path) -> None:
    with (directory / MANIFEST).open("r+b") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(ArtifactError, match=r"manifest\.json is larger than"):
        load_artifact(directory)


def test_an_array_other_than_listed_is_refused(directory: Path) -> None:
    np.save(directory / "item_biases.npy", np.zeros(7, dtype=np.float32))
    with pytest.raises(ArtifactError, match=r"item_biases\.npy holds <f4 \[7\], the manifest says <f4 \[6\]"):
        load_artifact(directory)


class Hostile:
    """Unpickling this would create a file."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.trap,)


def test_an_array_of_objects_is_refused_and_not_unpickled(directory: Path, tmp_path: Path) -> None:
    trap = tmp_path / "the pickle ran"
    np.save(directory / "item_biases.npy", np.array([Hostile(trap)], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match=r"item_biases\.npy is not a readable \.npy array"):
        load_artifact(directory)
    assert not trap.exists()


def test_a_pickle_in_place_of_an_array_is_refused_and_not_unpickled(directory: Path, tmp_path: Path) -> None:
    trap = tmp_path / "the pickle ran"
    (directory / "item_biases.npy").write_bytes(pickle.dumps(Hostile(trap)))
    with pytest.raises(ArtifactError, match=r"item_biases\.npy is not a readable \.npy array"):
        load_artifact(directory)
    assert not trap.exists()


@pytest.mark.parametrize("rows", [10**12, 2**62, 2**63, 2**64, -1])
def test_a_header_that_promises_a_huge_array_is_refused_without_allocating_it(directory: Path, rows: int) -> None:
    path = directory / "user_embeddings.npy"
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 3), }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    list_file(directory, path.name, shape=[rows, 3])
    list_hash(directory, path.name)
    with pytest.raises(ArtifactError, match=r"user_embeddings\.npy"):
        load_artifact(directory)


def test_names_in_the_manifest_do_not_lead_out_of_the_directory(directory: Path) -> None:
    # Names are never taken from the manifest: an additional one is not opened.
    files = json.loads((directory / MANIFEST).read_text())["files"]
    rewrite_manifest(directory, files={**files, "../../secret.npy": {"sha256": "0"}})
    load_artifact(directory)


def test_ready_lists_may_be_missing(tmp_path: Path) -> None:
    read = load_artifact(write(tmp_path / "served"))
    assert (read.ready_items, read.ready_scores) == (None, None)


@pytest.mark.parametrize("name", READY_ARRAYS)
def test_ready_lists_without_scores_or_the_reverse_are_refused(directory: Path, name: str) -> None:
    files = json.loads((directory / MANIFEST).read_text())["files"]
    del files[f"{name}.npy"]
    rewrite_manifest(directory, files=files)
    with pytest.raises(ArtifactError, match=rf"manifest\.json does not list {name}\.npy"):
        load_artifact(directory)


def test_a_model_that_learned_from_events_says_until_where(tmp_path: Path) -> None:
    events = LearnedEvents(STORE, 41)
    directory = write(tmp_path / "served", make_artifact(events=events))
    assert load_artifact(directory).events == events
    assert load_artifact(directory).min_rating is None
    assert content_hash(directory) != content_hash(write(tmp_path / "without"))


def test_events_that_could_not_be_read_again_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json has events until -1"):
        write(tmp_path / "served", make_artifact(events=LearnedEvents(STORE, -1)))
    assert not list(tmp_path.iterdir())


def test_item_embeddings_are_stored_one_dimension_after_the_other(directory: Path) -> None:
    assert load_artifact(directory).item_embeddings.flags.f_contiguous


def test_an_artifact_is_made_beside_its_place_as_another_file_system_would_allow_no_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    directory = write(tmp_path / "below" / "served")
    assert [path.name for path in directory.parent.iterdir()] == ["served"]
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755  # another user's service reads it


def test_the_order_in_which_parameters_were_set_changes_no_byte(tmp_path: Path) -> None:
    hashes = set()
    for number, params in enumerate(({"a": 1, "ä": 2}, {"ä": 2, "a": 1})):
        recipe = Recipe("test", params, 0, "0" * 64)
        hashes.add(content_hash(write(tmp_path / str(number), make_artifact(recipe=recipe))))
    assert len(hashes) == 1
    assert '"ä": 2' in (tmp_path / "0" / MANIFEST).read_text(encoding="utf-8")
