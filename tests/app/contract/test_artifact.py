import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.contract.artifact import (
    ARRAYS,
    CATALOGUE,
    FORMAT_VERSION,
    MANIFEST,
    ArtifactError,
    content_hash,
    load_artifact,
    write_artifact,
)
from app.contract.artifact_format import MAX_CATALOGUE_BYTES, MAX_MANIFEST_BYTES
from tests.artifacts import damage, make_artifact, write


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write(tmp_path / "with space" / "served", make_artifact(seen={0: [1, 2], 3: [5]}))


def rewrite_manifest(directory: Path, **changes: object) -> None:
    manifest = json.loads((directory / MANIFEST).read_text())
    (directory / MANIFEST).write_text(json.dumps({**manifest, **changes}))


def list_file(directory: Path, name: str, **changes: object) -> None:
    files = json.loads((directory / MANIFEST).read_text())["files"]
    rewrite_manifest(directory, files={**files, name: {**files[name], **changes}})


def list_hash(directory: Path, name: str) -> None:
    list_file(directory, name, sha256=sha256((directory / name).read_bytes()).hexdigest())


def rewrite_array(directory: Path, name: str, array: npt.NDArray[Any]) -> None:
    """Another array, and a manifest that agrees with it: what hostile software would write."""
    np.save(directory / f"{name}.npy", array)
    list_file(directory, f"{name}.npy", shape=list(array.shape), dtype=array.dtype.str)
    list_hash(directory, f"{name}.npy")


def edit_array(directory: Path, name: str, change: Callable[[npt.NDArray[Any]], None]) -> None:
    array = np.load(directory / f"{name}.npy")
    change(array)
    rewrite_array(directory, name, array)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = make_artifact(seen={1: [0, 3]})
    write_artifact(tmp_path / "served", written)
    read = load_artifact(tmp_path / "served")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name), err_msg=name)
        assert getattr(read, name).dtype == getattr(written, name).dtype
    assert (read.recipe, read.catalogue) == (written.recipe, written.catalogue)


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


@pytest.mark.parametrize("name", [*(f"{name}.npy" for name in ARRAYS), CATALOGUE, MANIFEST])
def test_a_missing_file_is_named(directory: Path, name: str) -> None:
    (directory / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is missing"):
        load_artifact(directory)


@pytest.mark.parametrize("name", [*(f"{name}.npy" for name in ARRAYS), CATALOGUE, MANIFEST])
def test_a_truncated_file_is_named(directory: Path, name: str) -> None:
    content = (directory / name).read_bytes()
    (directory / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtifactError, match=name):
        load_artifact(directory)


@pytest.mark.parametrize("name", [*(f"{name}.npy" for name in ARRAYS if name != "seen_indices"), CATALOGUE])
def test_a_flipped_bit_is_named(directory: Path, name: str) -> None:
    damage(directory / name, offset=-2)
    with pytest.raises(ArtifactError, match=rf"{name} does not have the SHA-256"):
        load_artifact(directory)


@pytest.mark.parametrize("name", ["user_embeddings", "item_biases", "encoder"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused(directory: Path, name: str, value: float) -> None:
    edit_array(directory, name, lambda array: array.__setitem__(0, value))
    with pytest.raises(ArtifactError, match=rf"{name}\.npy holds NaN or infinity"):
        load_artifact(directory)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": FORMAT_VERSION + 1}, "is of format 2, newer than 1: upgrade"),
        ({"format_version": "1"}, "has the format version '1'"),
        ({"format_version": 0}, "has the format version 0"),
        ({"kind": "weather"}, "describes a 'weather', not a 'movie-recommender'"),
        ({"files": {}}, r"does not list user_ids\.npy"),
        ({"files": {f"{name}.npy": 1 for name in ARRAYS}}, r"does not list user_ids\.npy"),
        ({"seed": "1"}, r"lacks 'seed' \(int\)"),
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
        file.truncate(MAX_MANIFEST_BYTES + 1)
    with pytest.raises(ArtifactError, match=r"manifest\.json is larger than"):
        load_artifact(directory)


@pytest.mark.parametrize("name", ["user_ids", "item_ids"])
@pytest.mark.parametrize("order", [[1, 0], [0, 0]])
def test_ids_that_are_unsorted_or_double_are_refused(directory: Path, name: str, order: list[int]) -> None:
    edit_array(directory, name, lambda array: array.__setitem__([0, 1], array[order]))
    with pytest.raises(ArtifactError, match=rf"{name}\.npy is not sorted, or holds an id twice"):
        load_artifact(directory)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("item_embeddings", np.zeros((6, 4), "<f4"), r"has the shape \[6, 4\]; dim should be 3"),
        ("item_embeddings", np.zeros((5, 3), "<f4"), r"has the shape \[5, 3\]; items should be 6"),
        ("item_biases", np.zeros((6, 1), "<f4"), "has 2 dimensions; expected 1"),
        ("item_biases", np.zeros(6, "<f8"), "is of type <f8; expected <f4"),
        ("user_ids", np.zeros(4, "<f8"), "is of type <f8; ids are int64 or text"),
        ("seen_indptr", np.zeros(4, "<i8"), r"has the shape \[4\]; users \+ 1 should be 5"),
        ("seen_indptr", np.array([0, 2, 1, 2, 3]), "does not rise from 0 to 3"),
        ("seen_indptr", np.array([0, 1, 1, 1, 2]), "does not rise from 0 to 3"),
        ("seen_indices", np.array([0, 1, 6], "<i4"), "points outside the items"),
        ("seen_indices", np.array([0, 1, -1], "<i4"), "points outside the items"),
        ("user_ids", np.zeros(0, "<i8"), r"has the shape \[0\]; users should be 1"),
        ("user_ids", np.array(["a", "b", "c", "d"], ">U1"), "is of type >U1; ids are int64 or text"),
        ("user_ids", np.array([97, 98, 99, 0x110000], "<u4").view("<U1"), "holds text that is not valid Unicode"),
        (
            "item_ids",
            np.array([97, 98, 99, 100, 101, 0xD800], "<u4").view("<U1"),
            "holds text that is not valid Unicode",
        ),
        ("item_popularity", np.array([1, 2, 3, 4, 5, -1]), "holds a negative number"),
        ("item_embeddings", np.full((6, 3), 3e38, "<f4"), r"holds numbers beyond ±1e\+12: the model has diverged"),
    ],
)
def test_arrays_that_contradict_each_other_are_refused(
    directory: Path, name: str, array: npt.NDArray[Any], message: str
) -> None:
    rewrite_array(directory, name, array)
    with pytest.raises(ArtifactError, match=rf"{name}\.npy {message}"):
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


def test_a_film_missing_from_the_catalogue_is_named(tmp_path: Path) -> None:
    artifact = make_artifact()
    catalogue = {key: film for key, film in artifact.catalogue.items() if key not in ("20", "30")}
    with pytest.raises(ArtifactError, match=r"catalogue\.json lacks 2 items, the first is '20'"):
        write_artifact(tmp_path / "served", replace(artifact, catalogue=catalogue))


def test_names_in_the_manifest_do_not_lead_out_of_the_directory(directory: Path) -> None:
    # Names are never taken from the manifest: an additional one is not opened.
    files = json.loads((directory / MANIFEST).read_text())["files"]
    rewrite_manifest(directory, files={**files, "../../secret.npy": {"sha256": "0"}})
    load_artifact(directory)


def test_ready_lists_are_optional_and_read_again(tmp_path: Path) -> None:
    ready = np.array([[0, 1], [2, -1], [5, 4], [-1, -1]], dtype=np.int32)
    scores = np.where(ready < 0, 0, 0.1)
    directory = write(tmp_path / "served", make_artifact(ranked_items=ready, ranked_scores=scores))
    read = load_artifact(directory)
    assert read.ranked_items is not None
    assert read.ranked_scores is not None
    assert read.ranked_items.tolist() == ready.tolist()
    assert read.ranked_scores.tolist() == scores.tolist()
    without = load_artifact(write(tmp_path / "without"))
    assert without.ranked_items is None
    assert without.ranked_scores is None


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"ranked_scores": np.zeros((4, 2))}, r"ranked_scores\.npy is there without ranked_items\.npy"),
        (
            {"ranked_scores": np.zeros((4, 3)), "ranked_items": np.zeros((4, 2), dtype=np.int32)},
            r"ranked_scores\.npy has the shape \[4, 3\]; ready should be 2",
        ),
        (
            {"ranked_scores": np.full((4, 2), np.nan), "ranked_items": np.zeros((4, 2), dtype=np.int32)},
            r"ranked_scores\.npy holds NaN or infinity",
        ),
    ],
)
def test_scores_that_do_not_fit_the_ready_lists_are_refused(
    tmp_path: Path, arrays: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ArtifactError, match=sentence):
        write(tmp_path / "served", make_artifact(**arrays))


@pytest.mark.parametrize("outside", [-2, 6])
def test_ready_lists_that_point_outside_the_items_are_refused(tmp_path: Path, outside: int) -> None:
    directory = write(tmp_path / "served", make_artifact(ranked_items=np.zeros((4, 2), dtype=np.int32)))
    rewrite_array(directory, "ranked_items", np.full((4, 2), outside, dtype=np.int32))
    with pytest.raises(ArtifactError, match=r"ranked_items\.npy points outside the items"):
        load_artifact(directory)


def test_item_embeddings_are_stored_one_dimension_after_the_other(directory: Path) -> None:
    assert load_artifact(directory).item_embeddings.flags.f_contiguous


def test_a_huge_catalogue_is_refused_unread(directory: Path) -> None:
    with (directory / CATALOGUE).open("r+b") as file:
        file.truncate(MAX_CATALOGUE_BYTES + 1)  # sparse: takes no space
    with pytest.raises(ArtifactError, match=rf"catalogue\.json is larger than {MAX_CATALOGUE_BYTES} bytes"):
        load_artifact(directory)
