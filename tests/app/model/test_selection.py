"""Lists that come from ready lists or from a part of the items are those of the whole ranking, to the byte."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array
from app.contract.conditions import Conditions
from app.contract.ranking import NO_ITEM
from app.contract.ready_scores import as_millionths
from app.contract.recommender import Recommender
from app.http.item_lists import list_json
from app.model import item_subsets
from app.model.catalogue_index import filter_key
from app.model.profile import learned_profile
from app.model.registered_version import RegisteredVersion
from app.model.selection import Selection, allowed_items, popular, recommend
from app.model.store import ServedModel, load_model
from app.schemas.queries import ListQuery, UserQuery
from tests.artifacts import Film, make_artifact, write

SHARES = {"Drama": 0.5, "Comedy": 0.3, "Western": 0.05}
GENRES = list(SHARES)
N_USERS, N_ITEMS = 30, 400


def random_artifact(rng: np.random.Generator, *, tied: bool, text_ids: bool, ready: int) -> Artifact:
    """Some users have no vector, some have seen nearly all films; scores may be large, small or tied."""

    def numbers(*shape: int) -> Float32Array:
        return (rng.integers(-1, 2, size=shape) if tied else rng.normal(size=shape)).astype(np.float32)

    users = numbers(N_USERS, 3) * rng.choice([1e-7, 1, 1e4], size=(N_USERS, 1)).astype(np.float32)
    users[rng.random(N_USERS) < 0.2] = 0
    lengths = rng.choice([0, 20, N_ITEMS - 40, N_ITEMS - 3, N_ITEMS], size=N_USERS)
    items = np.arange(N_ITEMS)
    artifact = make_artifact(
        range(N_USERS),
        [f"film {item:03}" for item in items] if text_ids else items,
        user_embeddings=users,
        item_embeddings=numbers(N_ITEMS, 3),
        item_biases=numbers(N_ITEMS),
        item_popularity=rng.integers(0, 4 if tied else 9000, size=N_ITEMS),
        seen={user: rng.choice(N_ITEMS, length, replace=False).tolist() for user, length in enumerate(lengths)},
        films=[
            Film(f"Film {item}", 1900 + item % 100, [genre for genre in GENRES if rng.random() < SHARES[genre]])
            for item in range(N_ITEMS)
        ],
    )
    ranked = Recommender(artifact).recommend(np.arange(N_USERS), ready)
    scores = as_millionths(np.where(ranked.items == NO_ITEM, 0, ranked.scores))
    return replace(artifact, ready_items=ranked.items.astype(np.int32), ready_scores=scores)


def random_query(rng: np.random.Generator, artifact: Artifact) -> UserQuery:
    """Most filters keep many films, some few or none."""
    excluded = artifact.item_ids[rng.integers(0, N_ITEMS, rng.choice([0, 0, 3, 50]))].tolist()
    return UserQuery(
        k=int(rng.choice([1, 10, 100])),
        offset=int(rng.choice([0, 0, 5, 300])),
        genre=rng.choice([*GENRES, "unknown"], rng.choice([0, 1, 2]), replace=False).tolist(),
        exclude_genre=rng.choice(GENRES, rng.choice([0, 0, 1]), replace=False).tolist(),
        year_from=[None, 1950, 1999][rng.integers(3)],
        exclude=excluded,
        include_seen=bool(rng.random() < 0.2),
        diversity=float(rng.choice([0, 0, 0.5])),
    )


def by_whole_ranking(model: ServedModel, user: int, query: UserQuery) -> Selection:
    """The page as a model makes it that has neither ready lists nor copies of items."""
    recommender = Recommender(replace(model.artifact, ready_items=None, ready_scores=None))
    mask = allowed_items(model, query)
    mask = np.ones(N_ITEMS, dtype=bool) if mask is None else mask
    seen = np.empty(0, dtype=np.int64) if query.include_seen else recommender.seen(user)
    whole = recommender.top(recommender.user_vector(user), N_ITEMS, seen)
    kept = mask[whole.items[0]]
    rows, scores = whole.items[0][kept], whole.scores[0][kept]
    page = slice(query.offset, query.offset + query.k)
    return Selection(rows[page], scores[page], query.offset)


def served(tmp_path: Path, artifact: Artifact) -> ServedModel:
    return load_model(write(tmp_path / "model", artifact), RegisteredVersion("1", 0, ""))


@pytest.mark.parametrize(
    "text_ids", [pytest.param(False, id="numbers", marks=pytest.mark.long), pytest.param(True, id="texts")]
)
@pytest.mark.parametrize(
    "tied", [pytest.param(False, id="random", marks=pytest.mark.long), pytest.param(True, id="tied")]
)
@pytest.mark.parametrize("ready", [3, pytest.param(50, marks=pytest.mark.long)])
def test_a_page_is_that_of_the_whole_ranking_to_the_byte(
    tmp_path: Path, tied: bool, text_ids: bool, ready: int
) -> None:
    rng = np.random.default_rng(ready)
    model = served(tmp_path, random_artifact(rng, tied=tied, text_ids=text_ids, ready=ready))
    for _ in range(60):
        query = random_query(rng, model.artifact)
        allowed = allowed_items(model, query)
        for user in rng.integers(0, N_USERS, 12).tolist():
            profile = learned_profile(model, str(user))
            profile = profile.with_seen_allowed() if query.include_seen else profile
            found = recommend(model, profile, query, allowed)
            if query.diversity:  # in another order, but what is chosen from is the same
                slow = replace(model, recommender=Recommender(replace(model.artifact, ready_items=None)))
                expected = recommend(slow, profile, query, allowed)
            else:
                expected = replace(by_whole_ranking(model, user, query), reason=found.reason)
            assert list_json({}, model, found) == list_json({}, model, expected)


def test_a_reason_does_not_depend_on_where_a_list_comes_from(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    artifact = random_artifact(rng, tied=False, text_ids=False, ready=50)
    model = served(tmp_path / "ready", artifact)
    without = served(tmp_path / "without", replace(artifact, ready_items=None, ready_scores=None))
    for _ in range(100):
        query, user = random_query(rng, artifact), str(rng.integers(N_USERS))
        allowed = allowed_items(model, query)
        reasons = [recommend(each, learned_profile(each, user), query, allowed).reason for each in (model, without)]
        assert reasons[0] == reasons[1]


def test_a_filter_that_comes_again_is_answered_from_copies(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    model = served(tmp_path, random_artifact(rng, tied=False, text_ids=False, ready=3))
    query = ListQuery(genre=["Western"], year_from=1950, k=100)
    mask = model.catalogue.allowed(query)
    assert mask is not None
    first = popular(model, query, mask)
    assert model.subsets.of(query) is not None
    again = popular(model, query, mask)
    copies = model.subsets.of(query.model_copy(update={"exclude": [1], "offset": 7}))
    assert copies is not None
    assert copies.rows is not None
    assert copies.rows.tolist() == np.flatnonzero(mask).tolist()
    assert list_json({}, model, first) == list_json({}, model, again)


def test_filters_that_keep_most_films_are_not_copied(tmp_path: Path) -> None:
    model = served(tmp_path, random_artifact(np.random.default_rng(0), tied=False, text_ids=False, ready=3))
    for query in (ListQuery(year_from=1901), ListQuery(exclude=[1, 2])):
        assert [model.subsets.of(query) for _ in range(3)] == [None] * 3


def test_copies_take_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = served(tmp_path, random_artifact(np.random.default_rng(0), tied=False, text_ids=False, ready=3))
    queries = [ListQuery(year_from=year) for year in range(1951, 1999)]
    largest = model.recommender.all_items.only(np.arange(N_ITEMS) < N_ITEMS // 2).n_bytes
    monkeypatch.setattr(item_subsets, "MOST_BYTES", 3 * largest)
    for query in [query for query in queries for _ in range(2)]:
        model.subsets.of(query)
    copies = [each for query in queries if (each := model.subsets._asked.get(query_key(query)))]
    assert len(copies) > 3
    assert sum(each.n_bytes for each in copies) <= 3 * largest


def query_key(query: ListQuery) -> Conditions:
    key = filter_key(query)
    assert key is not None
    return key
