"""`fetch.source: split`: two published files, evaluated as they are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact import Artifact
from app.contract.artifact_directory import load_artifact
from tests.training.data.archives import Files, fetch_params, write
from tests.training.world import change_params
from training.data.dataset import Dataset, load_dataset
from training.data.interactions import Interactions
from training.data.raw import read_items, read_ratings
from training.errors import DataError, ParamsError
from training.evaluate import evaluate
from training.fetch import fetch
from training.prepare import prepare
from training.project import Project
from training.train import train

TXT = {"train.txt": "0 10 11 12\n1\n\n2 11 12\n", "test.txt": "0 13\n2 10 13\n1\n"}
CSV = {
    "train.csv": "user_id,item_id\n0,10\n0,11\n0,12\n\n2,11\n2,12\n",
    "test.csv": "user_id,item_id\n0,13\n2,10\n2,13\n",
}
WHOLE = [(0, 10, False), (0, 11, False), (0, 12, False), (2, 11, False), (2, 12, False)]
WHOLE += [(0, 13, True), (2, 10, True), (2, 13, True)]

SPLIT = {"prepare__min_rating": None, "fetch__source": "split"}


def get(own: Path, raw: Path) -> set[str]:
    """Fetch and list what has come."""
    fetch(fetch_params(source="split", csv_folder=str(own)), 42, raw)
    return {path.name for path in raw.iterdir()}


def prepared(folder: Path, files: Files, **changes: Any) -> tuple[Dataset, dict[str, Any]]:
    """The data set and the figures of a split."""
    project = Project(folder)
    write(project.raw, files)
    params = change_params(project, **{**SPLIT, **changes})
    prepare(params, project.raw, project.prepared, project.stats)
    stats: dict[str, Any] = json.loads(project.stats.read_text())
    return load_dataset(project.prepared), stats


def pairs(dataset: Dataset, *splits: str) -> list[tuple[Any, Any]]:
    part = dataset.interactions(*splits)
    users, items = dataset.user_ids[part.users], dataset.item_ids[part.items]
    return sorted(zip(users.tolist(), items.tolist(), strict=True))


@pytest.mark.parametrize(
    "files",
    [
        TXT,
        {name: content.replace("\n", "\r\n").replace(" ", "\t") + " " for name, content in TXT.items()},
        CSV,
        {name: content.replace("user_id,item_id", "User , Item") for name, content in CSV.items()},
        {name: content.partition("\n")[2] for name, content in CSV.items()},
        {
            "train.csv": "item_id,rating,user_id\n10,5,0\n11,1,0\n12,2,0\n11,1,2\n12,1,2\n",
            "test.csv": '\ufeff"0",13\n2,10\n2,13\n',
        },
    ],
    ids=["text", "text with tabs and CRLF", "CSV", "short names", "no names", "other columns, another order, a BOM"],
)
def test_both_forms_give_the_same_pairs(files: Files, tmp_path: Path) -> None:
    assert get(write(tmp_path / "own", files), tmp_path / "raw") == set(files)
    ratings = read_ratings(tmp_path / "raw")
    assert list(ratings[["user_id", "item_id", "held_out"]].itertuples(index=False, name=None)) == WHOLE
    assert ratings["rating"].isna().all()
    assert read_items(tmp_path / "raw", {}) is None


def test_ids_are_text_in_both_files_if_one_of_them_is(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, {"train.txt": "1 7 8\n2 7\n", "test.txt": "1 007\n2 x\n"}))
    assert ratings["user_id"].tolist() == [1, 1, 2, 1, 2]
    assert ratings["item_id"].tolist() == ["7", "8", "7", "007", "x"]


def test_items_csv_gives_titles_and_the_type_of_ids(tmp_path: Path) -> None:
    films = "item_id,title\n" + "".join(f"{item},Film {item}\n" for item in range(9, 16)) + "x,Film x\n"
    own = write(
        tmp_path / "own",
        {"train.txt": "0 10 11 12 13 14\n", "test.txt": "0 15\n", "items.csv": films, "ratings.csv": ""},
    )
    assert get(own, tmp_path / "data" / "raw") == {"train.txt", "test.txt", "items.csv"}
    dataset, _ = prepared(tmp_path, {})
    assert dataset.catalogue["title"].tolist() == [f"Film {item}" for item in [*range(10, 16), 9, "x"]]
    assert pairs(dataset, "test") == [(0, "15")]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {},
            r"own holds no split: put either train\.txt and test\.txt there \(lines of a user and its items\) or train",
        ),
        ({"train.txt": "0 1\n"}, r"own holds train\.txt: put either"),
        ({"train.txt": "0 1\n", "test.csv": "0,1\n"}, r"own holds train\.txt and test\.csv: put either"),
        ({**TXT, **CSV}, r"own holds train\.txt and test\.txt and train\.csv and test\.csv: put either"),
    ],
)
def test_a_split_that_is_not_two_files_of_one_form_is_told(files: Files, sentence: str, tmp_path: Path) -> None:
    raw = write(tmp_path / "raw", {"interactions.csv": "former"})
    with pytest.raises(DataError, match=sentence):
        get(write(tmp_path / "own", files), raw)
    assert [path.name for path in raw.iterdir()] == ["interactions.csv"]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({**TXT, "train.txt": f"0 1\n\n1 {'x' * 201}\n"}, r"train\.txt, line 3: item_id 'x{201}' should be 1 to 200"),
        ({**TXT, "test.txt": "0 1\0 2\n"}, r"test\.txt, line 1: item_id '1\\x00' should be 1 to 200 characters, none"),
        ({**TXT, "test.txt": b"0 1\n1 Am\xe9lie\n"}, r"test\.txt, line 2 isn't UTF-8; save the file as UTF-8; correct"),
        ({**TXT, "train.txt": "0,1\n0,2\n"}, r"train\.txt holds no pair of user and item; its lines should be user"),
        ({**TXT, "test.txt": ""}, r"test\.txt holds no pair of user and item"),
        ({**CSV, "train.csv": "user_id,item_id\n"}, r"train\.csv holds no pair of user and item; its .* be user,item"),
        ({**CSV, "test.csv": "0,1\n0\n"}, r"test\.csv, line 2 has 1 fields instead of 2; correct"),
        ({**CSV, "test.csv": "user_id,item_id\n0,1\n0, \n"}, r"test\.csv, line 3: item_id '' should be 1 to 200"),
        ({**CSV, "test.csv": "uid,iid\n0,1\n"},
         r"test\.csv, line 1 should name the columns user_id,item_id or hold two whole numbers, but is 'uid,iid'"),
        ({**CSV, "test.csv": "0,1,5\n"}, r"test\.csv, line 1 should name the columns"),
        ({**TXT, "items.csv": "item_id,title\n10,A\n11,B\n"},
         r"train\.txt, line 1: item_id '12' isn't in items\.csv; add the film there, or remove that file"),
    ],
)  # fmt: skip
def test_a_damaged_split_is_named_with_line_value_and_remedy(files: Files, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        read_ratings(write(tmp_path, files))


def test_validation_is_drawn_from_the_training_file_and_the_test_stays_whole(tmp_path: Path) -> None:
    files = {
        "train.txt": "".join(f"{user} {' '.join(map(str, range(20 + user)))}\n" for user in range(30)) + "99 1 2 3 4\n",
        "test.txt": "".join(f"{user} {90 + user} {91 + user}\n" for user in range(30)) + "99 7\n",
    }
    dataset, stats = prepared(tmp_path / "one", files)
    assert pairs(dataset, "test") == sorted([(u, 90 + u + i) for u in range(30) for i in (0, 1)] + [(99, 7)])
    assert pairs(dataset, "train", "validation") == sorted(
        [(u, i) for u in range(30) for i in range(20 + u)] + [(99, i) for i in (1, 2, 3, 4)]
    )
    validation = pd.DataFrame(pairs(dataset, "validation"), columns=["user", "item"])
    counts = validation.groupby("user").size()
    assert counts.index.tolist() == list(range(30))  # 99 has fewer than prepare.split.min_positives
    assert counts.tolist() == [int((20 + user) * 0.1 + 0.5) for user in range(30)]
    assert validation.item.min() < 10  # and not the last of each line
    assert stats["given_split"] == {
        "repeated_pairs": 0, "pairs_in_both": 0, "test_users_unknown": 0, "test_pairs_unknown": 0,
    }  # fmt: skip
    assert pairs(prepared(tmp_path / "two", files)[0], "validation") == pairs(dataset, "validation")
    assert pairs(prepared(tmp_path / "three", files, seed=1)[0], "validation") != pairs(dataset, "validation")


def test_what_can_not_be_measured_is_counted(tmp_path: Path) -> None:
    files = {
        "train.txt": "0 1 2 3 4 5 5\n1 1 2 3 4 5\n0 1\n",
        "test.txt": "0 6 5\n1 6 6\n2 1 2\n3 1\n",
    }
    dataset, stats = prepared(tmp_path, files)
    assert stats["given_split"] == {
        "repeated_pairs": 3, "pairs_in_both": 1, "test_users_unknown": 2, "test_pairs_unknown": 3,
    }  # fmt: skip
    everything = dataset.interactions("train", "validation", "test")
    assert len(everything) == 10 + 6
    assert everything.matrix(dataset.n_users, dataset.n_items).data.tolist() == [1.0] * 15


@pytest.mark.parametrize("changes", [{"prepare__min_user_ratings": 5}, {"prepare__min_item_ratings": 2}])
def test_filters_that_would_change_the_split_are_refused(changes: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(
        ParamsError, match=r"prepare\.min_\w+ \d would change a split that is given: set it to 1 in par"
    ):
        prepared(tmp_path, TXT, **changes)


def test_a_split_has_no_ratings_to_compare_with_min_rating(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no rating column: set prepare\.min_rating to null, every row is a positive"):
        prepared(tmp_path, TXT, prepare__min_rating=4.0)


def test_a_split_of_users_with_few_pairs_has_no_validation(tmp_path: Path) -> None:
    sentence = r"the validation split has no positive .*min_rating None \(no ratings\) and .*; lower .*min_positives"
    with pytest.raises(DataError, match=sentence):
        prepared(tmp_path, TXT)


def test_a_test_file_of_other_users_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no user of the test file is in the training file, so nobody can be measured"):
        prepared(tmp_path, {"train.txt": "0 1 2 3 4 5\n", "test.txt": "1 2\n"})


@pytest.mark.long
@pytest.mark.parametrize("candidate", ["popularity", "sklearn_svd"])
def test_the_published_protocol_gives_the_same_figures(candidate: str, tmp_path: Path) -> None:
    """All items but those in the training file are ranked; recall@20 is by the number of test items."""
    train_file, test_file = published(np.random.default_rng(1))
    write(tmp_path / "data" / "own", {"train.txt": text(train_file), "test.txt": text(test_file)})
    project = Project(tmp_path)
    params = change_params(
        project, **SPLIT, fetch__csv_folder=str(tmp_path / "data" / "own"), models__sklearn_svd__embedding_size=8
    )
    fetch(params.fetch, params.seed, project.raw)
    prepare(params, project.raw, project.prepared, project.stats)
    train(project, params, candidate)
    evaluate(project, params, candidate)
    metrics = json.loads(project.evaluation(candidate).read_text())["metrics"]
    artifact = load_artifact(project.model(candidate))
    # A report has ten significant digits.
    expected = [by_definition(artifact, user, train_file[user], wanted) for user, wanted in test_file.items() if wanted]
    assert (metrics["recall@20"], metrics["ndcg@20"]) == pytest.approx(np.mean(expected, axis=0), abs=1e-10)
    assert metrics["recall@20"] > 0.1


def published(rng: np.random.Generator) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Users of four tastes among 120 items; a user in six has no test items, as published files have them."""
    training, test = {}, {}
    for user in range(90):
        liked = rng.choice(np.arange(user % 4, 120, 4), size=int(rng.integers(8, 26)), replace=False).tolist()
        n_test = 0 if user % 6 == 0 else int(rng.integers(1, len(liked) // 2))
        training[user], test[user] = liked[n_test:], liked[:n_test]
    return training, test


def text(pairs: dict[int, list[int]]) -> str:
    return "".join(f"{' '.join(map(str, [user, *items]))}\n" for user, items in pairs.items())


def by_definition(artifact: Artifact, user: int, seen: list[int], wanted: list[int]) -> tuple[float, float]:
    """Recall@20 and NDCG@20 of one user, step by step."""
    items = artifact.item_ids.tolist()
    vector = artifact.user_embeddings[artifact.user_ids.tolist().index(user)].astype(np.float64)
    scores = artifact.item_embeddings.astype(np.float64) @ vector + artifact.item_biases
    candidates = sorted((-score, row) for row, score in enumerate(scores) if items[row] not in seen)
    hits = [items[row] in wanted for _, row in candidates[:20]]
    gain = sum(1 / np.log2(place + 2) for place, hit in enumerate(hits) if hit)
    best = sum(1 / np.log2(place + 2) for place in range(min(20, len(wanted))))
    return sum(hits) / len(wanted), gain / best


def test_pairs_are_counted_once_in_a_matrix() -> None:
    twice = np.array([0, 0], dtype=np.int32)
    interactions = Interactions(
        twice, twice, np.array([True, True]), np.array([4, 4], dtype=np.float32), np.array([1, 2])
    )
    assert interactions.matrix(1, 1).toarray().tolist() == [[1.0]]
