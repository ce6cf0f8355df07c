"""What the arrays of an artifact must hold."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.contract.artifact_checks import check_contents
from app.contract.artifact_directory import load_artifact
from app.contract.artifact_format import ARRAYS, ArtifactError
from tests.app.contract.hostile import edit_array, rewrite_array
from tests.artifacts import make_artifact, write


@pytest.mark.parametrize("name", ["user_embeddings", "item_biases", "encoder"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused(directory: Path, name: str, value: float) -> None:
    edit_array(directory, name, lambda array: array.__setitem__(0, value))
    with pytest.raises(ArtifactError, match=rf"{name}\.npy holds NaN or infinity"):
        load_artifact(directory)


def test_a_negative_popularity_is_refused(tmp_path: Path) -> None:
    aged = np.array([0, 1, 2, 3, 4, -0.5], dtype=np.float32)
    with pytest.raises(ArtifactError, match=r"aged_popularity\.npy holds a negative number"):
        write(tmp_path / "served", make_artifact(aged_popularity=aged))


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
        ("seen_liked", np.zeros(2, bool), r"has the shape \[2\]; seen should be 3"),
        ("seen_liked", np.zeros(3, "|u1"), r"is of type \|u1; expected \|b1"),
        ("seen_liked", np.array([0, 1, 2], "|u1").view(bool), "holds bytes other than 0 and 1"),
        ("titles", np.zeros((2, 8), "|u1"), "has 2 dimensions; expected 1"),
        ("titles", np.full(16, 0xFF, "|u1"), "is not UTF-8: invalid start byte at byte 0"),
        ("titles", np.frombuffer(b"0123456789abcde\xc3", "|u1"), "is not UTF-8: unexpected end of data at byte 15"),
        ("title_offsets", np.array([0, 7, 6, 13, 14, 15, 16]), "does not rise from 0 to 16, the length of titles"),
        ("title_offsets", np.array([0, 7, 7, 13, 14, 15, 17]), "does not rise from 0 to 16, the length of titles"),
        ("title_offsets", np.array([-1, 7, 7, 13, 14, 15, 16]), "does not rise from 0 to 16, the length of titles"),
        ("title_offsets", np.zeros(8, "<i8"), r"has the shape \[8\]; items \+ 1 should be 7"),
        ("folded_titles", np.full(22, 0xC0, "|u1"), "is not UTF-8: invalid start byte at byte 0"),
        ("folded_breaks", np.zeros(7, "<i8"), "is not where folded_titles.npy has line breaks"),
        ("folded_breaks", np.array([-1, 7, 8, 15, 17, 19, 21]), "is not where folded_titles.npy has line breaks"),
        ("ready_items", np.array([[0, 1], [2, -2], [5, 4], [-1, -1]], "<i4"), "points outside the items"),
        ("ready_items", np.array([[0, 1], [2, 6], [5, 4], [-1, -1]], "<i4"), "points outside the items"),
        ("ready_items", np.array([[0, 1], [-1, 2], [5, 4], [-1, -1]], "<i4"), "holds -1 before an item"),
        ("ready_scores", np.zeros((4, 3), "<i4"), r"has the shape \[4, 3\]; ready should be 2"),
        ("ready_scores", np.full((4, 2), np.nan), "is of type <f8; expected <i4"),
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


@pytest.mark.parametrize(
    ("text", "offsets"), [("titles", "title_offsets"), ("column_1_names", "column_1_name_offsets")]
)
def test_a_text_that_is_cut_within_a_character_is_refused(directory: Path, text: str, offsets: str) -> None:
    whole = bytes(np.load(directory / f"{text}.npy"))
    within = next(place for place, byte in enumerate(whole) if byte & 0xC0 == 0x80)
    edit_array(directory, offsets, lambda array: array.__setitem__(1, within))
    with pytest.raises(ArtifactError, match=rf"{text}\.npy is cut within a character by its offsets"):
        load_artifact(directory)


def test_no_folded_titles_at_all_are_refused(directory: Path) -> None:
    rewrite_array(directory, "folded_titles", np.zeros(0, "|u1"))
    with pytest.raises(ArtifactError, match=r"folded_breaks\.npy is not where folded_titles\.npy has line breaks"):
        load_artifact(directory)


def test_folded_titles_with_a_line_break_too_many_are_refused(directory: Path) -> None:
    folded = np.load(directory / "folded_titles.npy")
    assert bytes(folded) == "\namelie\n\n日本\nx\nx\nx\n".encode()
    folded[3] = ord("\n")
    rewrite_array(directory, "folded_titles", folded)
    with pytest.raises(ArtifactError, match=r"folded_breaks\.npy is not where folded_titles\.npy has line breaks"):
        load_artifact(directory)


def test_a_text_of_absurd_size_is_refused(tmp_path: Path) -> None:
    arrays = {name: np.load(path) for name in ARRAYS for path in [write(tmp_path / "served") / f"{name}.npy"]}
    endless = np.broadcast_to(np.uint8(0), 2**28 + 1)  # takes no memory
    offsets = np.array([*[0] * 6, len(endless)])
    with pytest.raises(ArtifactError, match=r"titles\.npy is larger than 268435456 bytes"):
        check_contents(tmp_path, {**arrays, "titles": endless, "title_offsets": offsets})
