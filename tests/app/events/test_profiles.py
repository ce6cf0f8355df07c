"""What a user has said since the model learned changes who they are to it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.contract.artifact import Artifact, LearnedEvents
from app.contract.events import Event
from app.contract.ranking import NO_ITEM, NO_ROWS
from app.contract.ready_scores import as_millionths
from app.contract.recommender import Recommender
from app.events.fresh_vector import fresh_vector
from app.events.overlay import Overlay
from app.events.profiles import Profiles
from app.model.profile import Profile, fold_in_profile, learned_profile, liked_rows
from app.model.registered_version import RegisteredVersion
from app.model.selection import rank, recommend
from app.model.store import ServedModel, load_model
from app.schemas.queries import UserQuery
from tests.app.events.stories import said, stored
from tests.artifacts import make_artifact, write

STORE, ANOTHER_STORE = (f"0f8fad5b-d9cb-469f-a165-70867728950{end}" for end in "ef")
N_ITEMS, DIM, READY = 60, 4, 20
SEEN = {0: [0, 1, 2, 3], 1: [5], 2: [7, 8]}
LIKED = [True, True, False, True, True, False, False]  # user 3 likes nothing of what they have seen


def make(**replaced: Any) -> Artifact:
    """Users 1 to 4 and items 1 to 60; user 1 likes items 1, 2 and 4, not 3; item 60 has no encoder."""
    encoder = np.random.default_rng(3).normal(size=(N_ITEMS, DIM)).astype(np.float32)
    encoder[N_ITEMS - 1] = 0
    artifact = make_artifact(
        (1, 2, 3, 4),
        range(1, N_ITEMS + 1),
        dim=DIM,
        seen=SEEN,
        seen_liked=np.array(LIKED),
        encoder=encoder,
        encoder_intercept=np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32),
        **replaced,
    )
    ranked = Recommender(artifact).recommend(np.arange(4), READY)
    scores = as_millionths(np.where(ranked.items == NO_ITEM, 0, ranked.scores))
    return replace(artifact, ready_items=ranked.items.astype(np.int32), ready_scores=scores)


@pytest.fixture
def overlay() -> Overlay:
    overlay = Overlay()
    overlay.restart(STORE)
    return overlay


def served(directory: Path, **replaced: Any) -> ServedModel:
    return load_model(write(directory / "served", make(**replaced)), RegisteredVersion("1", 0, ""))


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    return served(tmp_path)


def encoded(model: ServedModel, *ids: int) -> np.ndarray:
    rows = np.array(ids) - 1
    vector: np.ndarray = model.artifact.encoder[rows].sum(axis=0) / np.sqrt(len(ids)) + model.artifact.encoder_intercept
    return vector


def fresh(model: ServedModel, overlay: Overlay, user: str, *events: Event) -> Profile:
    overlay.add(stored(*events))
    found = Profiles(overlay).fresh(model, user)
    assert found is not None
    return found


def test_who_has_said_nothing_is_who_the_model_has_learned(model: ServedModel, overlay: Overlay) -> None:
    profiles = Profiles(overlay)
    overlay.add(stored(said(2, "like", 9)))
    assert profiles.fresh(model, "1") is None
    assert profiles.of(model, "1").row == 0
    assert profiles.of(model, "nobody").source == "popular"


def test_a_fresh_like_moves_a_known_user_and_weighs_what_was_learned_less(model: ServedModel, overlay: Overlay) -> None:
    profile = fresh(model, overlay, "1", said(1, "like", 9), said(1, "rating", 10, 4), said(1, "dislike", 11))
    residual = model.artifact.user_embeddings[0] - encoded(model, 1, 2, 4)
    expected = encoded(model, 1, 2, 4, 9, 10) + 3 / (3 + 4 * 2) * residual
    np.testing.assert_allclose(profile.vector, expected, rtol=1e-5)
    assert sorted(profile.seen) == [0, 1, 2, 3, 8, 9, 10]
    assert sorted(liked_rows(model, profile)) == [0, 1, 3, 8, 9]
    assert profile.source == "personalised"


def test_an_unknown_user_is_folded_in(model: ServedModel, overlay: Overlay) -> None:
    profile = fresh(model, overlay, "new", said("new", "like", 9), said("new", "like", 10))
    np.testing.assert_allclose(profile.vector, encoded(model, 9, 10), rtol=1e-5)
    assert (profile.source, profile.row) == ("personalised", None)


def test_a_first_like_meets_what_attributes_say_without_what_people_like_first(
    tmp_path: Path, overlay: Overlay
) -> None:
    start, first = np.ones(DIM, np.float32), np.full(DIM, 8, np.float32)
    vectors = np.stack([start] * 3 + [start + first])
    known = {"user_embeddings": vectors, "first_likes": first, "mean_user": first, "newcomer_weight": 1.0}
    model = served(tmp_path, **known)
    overlay.add(stored(said(4, "like", 9)))
    expected = (encoded(model, 9) + start) / 2
    np.testing.assert_allclose(Profiles(overlay).of(model, "4").vector, expected, rtol=1e-5)


def test_the_newest_likes_weigh_more_where_the_model_says_so(tmp_path: Path, overlay: Overlay) -> None:
    model = served(tmp_path, recency=1.0, seen_order="time", seen_indices=np.array([3, 0, 2, 1, 5, 7, 8], np.int32))

    def weighted(*ids: int) -> np.ndarray:
        weights = 1 / np.arange(len(ids), 0, -1)
        vector: np.ndarray = weights @ model.artifact.encoder[np.array(ids) - 1] / np.linalg.norm(weights)
        return vector + model.artifact.encoder_intercept

    overlay.add(stored(said("new", "like", 10), said("new", "like", 9), said("new", "like", 10)))
    folded = Profiles(overlay).of(model, "new").vector
    np.testing.assert_allclose(folded, weighted(9, 10), rtol=1e-5)
    np.testing.assert_array_equal(folded, fold_in_profile(model, np.array([8, 9]), NO_ROWS).vector)
    # Liked so far: 4, 1 and 2, as the third of what was seen is no like.
    overlay.add(stored(said(1, "retract", 1), said(1, "like", 9), said(1, "like", 3), first=9))
    residual = model.artifact.user_embeddings[0] - weighted(4, 1, 2)
    expected = weighted(4, 2, 9, 3) + 3 / (3 + 4 * 3) * residual
    np.testing.assert_allclose(Profiles(overlay).of(model, "1").vector, expected, rtol=1e-5)


def test_a_film_without_an_encoder_is_seen_and_does_not_count(model: ServedModel, overlay: Overlay) -> None:
    profile = fresh(model, overlay, "new", said("new", "like", 9), said("new", "like", N_ITEMS))
    np.testing.assert_allclose(profile.vector, encoded(model, 9), rtol=1e-5)
    alone = fresh(model, overlay, "1", said(1, "like", N_ITEMS))
    assert alone.vector.tolist() == model.artifact.user_embeddings[0].tolist()
    assert N_ITEMS - 1 in alone.seen


@pytest.mark.parametrize("event_type", ["dislike", "watch", "click", "hide", "of a newer release"])
def test_what_is_not_liked_only_leaves_films_out(model: ServedModel, overlay: Overlay, event_type: Any) -> None:
    profiles, query = Profiles(overlay), UserQuery(k=5)
    best = recommend(model, learned_profile(model, "1"), UserQuery(k=7), None)
    overlay.add(stored(said(1, event_type, int(best.rows[0]) + 1), said(1, "rating", int(best.rows[2]) + 1, 2)))
    profile = profiles.of(model, "1")
    assert profile.row == 0  # from the ready list
    found = recommend(model, profile, query, None)
    assert found.rows.tolist() == best.rows[[1, 3, 4, 5, 6]].tolist()
    assert found.scores.tolist() == best.scores[[1, 3, 4, 5, 6]].tolist()
    deep = recommend(model, profile, UserQuery(k=100), None)  # more than the ready list holds
    assert deep.rows[:5].tolist() == found.rows.tolist()
    assert len(deep.rows) == N_ITEMS - 4 - 2
    overlay.add(stored(said("new", event_type, 9)))
    assert profiles.of(model, "new").source == "popular"
    assert 8 not in recommend(model, profiles.of(model, "new"), UserQuery(k=100), None).rows


def test_hidden_films_stay_out_even_with_seen_films_allowed(model: ServedModel, overlay: Overlay) -> None:
    profile = fresh(model, overlay, "1", said(1, "hide", 9), said(1, "watch", 10), said(1, "hide", 1))
    rows = recommend(model, profile.with_seen_allowed(), UserQuery(k=100), None).rows
    assert set(range(N_ITEMS)) - set(rows.tolist()) == {0, 8}


def test_the_last_event_about_a_film_counts(model: ServedModel, overlay: Overlay) -> None:
    profile = fresh(model, overlay, "1", said(1, "like", 9), said(1, "hide", 9), said(1, "retract", 9))
    learned = learned_profile(model, "1")
    assert profile.vector.tolist() == learned.vector.tolist()
    assert sorted(profile.seen) == sorted(learned.seen)
    assert rank(model, profile, 10).items.tolist() == rank(model, learned, 10).items.tolist()


def test_what_the_model_has_learned_can_be_taken_back(model: ServedModel, overlay: Overlay) -> None:
    profile = fresh(model, overlay, "1", said(1, "retract", 2), said(1, "retract", 3))
    residual = model.artifact.user_embeddings[0] - encoded(model, 1, 2, 4)
    np.testing.assert_allclose(profile.vector, encoded(model, 1, 4) + 3 / (3 + 4) * residual, rtol=1e-5)
    assert sorted(profile.seen) == [0, 3]
    assert set(recommend(model, profile, UserQuery(k=100), None).rows.tolist()) == set(range(N_ITEMS)) - {0, 3}
    unseen = fresh(model, overlay, "3", said(3, "retract", 8))  # seen and not liked: the vector stays
    assert unseen.row is None
    assert 7 in recommend(model, unseen, UserQuery(k=100), None).rows


def test_who_takes_back_every_like_gets_popular_films(model: ServedModel, overlay: Overlay) -> None:
    assert fresh(model, overlay, "2", said(2, "retract", 6)).source == "popular"


def test_a_low_rating_of_what_was_liked_takes_the_like_back(model: ServedModel, overlay: Overlay) -> None:
    profile = fresh(model, overlay, "1", said(1, "rating", 2, 1.5))
    assert sorted(liked_rows(model, profile)) == [0, 3]
    assert 1 in profile.seen


@pytest.mark.parametrize(("least", "liked"), [(4.5, False), (4.0, True), (None, True)])
def test_stars_mean_what_they_mean_to_the_model(
    tmp_path: Path, overlay: Overlay, least: float | None, liked: bool
) -> None:
    model = served(tmp_path, min_rating=least)
    profile = fresh(model, overlay, "new", said("new", "rating", 9, 4))
    assert (8 in liked_rows(model, profile)) == liked


@pytest.mark.parametrize(("store", "counts"), [(STORE, False), (ANOTHER_STORE, True)])
def test_what_the_model_has_learned_does_not_count_again(
    tmp_path: Path, overlay: Overlay, store: str, counts: bool
) -> None:
    model = served(tmp_path, events=LearnedEvents(store, 2))
    overlay.add(stored(said(1, "like", 9), said(1, "forget"), said(2, "like", 9), said(3, "like", 9)))
    profiles = Profiles(overlay)
    assert (profiles.fresh(model, "1") is None) == (not counts)
    assert profiles.fresh(model, "2") is not None


def test_who_wants_to_be_forgotten_is_unknown_until_a_model_has_learned_it(tmp_path: Path, overlay: Overlay) -> None:
    before, after = (served(tmp_path / str(n), events=LearnedEvents(STORE, n)) for n in (0, 3))
    profiles = Profiles(overlay)
    overlay.add(stored(said(1, "like", 9), said(1, "forget")))
    profile = profiles.of(before, "1")
    assert (profile.source, profile.row, len(profile.seen)) == ("popular", None, 0)
    assert profiles.history(before, "1") is None
    assert profiles.of(after, "1").row == 0
    overlay.add(stored(said(1, "like", 10), first=3))
    np.testing.assert_allclose(profiles.of(before, "1").vector, encoded(before, 10), rtol=1e-5)


def test_a_film_that_the_model_does_not_know_is_ignored(model: ServedModel, overlay: Overlay) -> None:
    overlay.add(stored(said(1, "like", 9000)))
    assert Profiles(overlay).fresh(model, "1") is None


def test_a_history_begins_with_the_latest(model: ServedModel, overlay: Overlay) -> None:
    profiles = Profiles(overlay)
    assert profiles.history(model, "1") == [(0, True), (1, True), (2, False), (3, True)]
    events = [said(1, "like", 9), said(1, "dislike", 2), said(1, "hide", 12), said(1, "retract", 4)]
    overlay.add(stored(*events, said(1, "watch", 10), said(1, "rating", 9, 1)))
    assert profiles.history(model, "1") == [(8, False), (9, False), (1, False), (0, True), (2, False)]
    assert profiles.history(model, "new") is None
    overlay.add(stored(said("new", "like", 9), said("gone", "like", 9), said("gone", "retract", 9)))
    assert profiles.history(model, "new") == [(8, True)]
    assert profiles.history(model, "gone") is None


def test_a_history_in_the_order_of_time_begins_with_its_end(tmp_path: Path, overlay: Overlay) -> None:
    indices = np.array([3, 0, 2, 1, 5, 7, 8], np.int32)
    model = served(tmp_path, seen_order="time", seen_indices=indices)
    overlay.add(stored(said(1, "like", 9), said(1, "like", 1)))
    history = Profiles(overlay).history(model, "1")
    assert history == [(0, True), (8, True), (1, True), (2, False), (3, True)]


def test_a_profile_is_kept_until_the_next_event_or_model(tmp_path: Path, overlay: Overlay) -> None:
    model, other = served(tmp_path / "1"), served(tmp_path / "2", seed=9)
    profiles = Profiles(overlay)
    overlay.add(stored(said("new", "like", 9)))
    first = profiles.of(model, "new")
    assert first is profiles.fresh(model, "new")
    assert rank(model, first, 10).items.base is rank(model, first, 5).items.base
    overlay.add(stored(said("new", "like", 10), first=2))
    second = profiles.fresh(model, "new")
    assert second is not first
    assert profiles.fresh(other, "new") is not second


def test_a_kept_list_is_that_of_a_whole_ranking(model: ServedModel, overlay: Overlay) -> None:
    profile = fresh(model, overlay, "new", said("new", "like", 9), said("new", "hide", 10))
    for k in (5, 3, 10, 1, 100, 10):
        kept = rank(model, profile, k)
        whole = model.recommender.top(profile.vector, k, profile.seen)
        assert kept.items.tolist() == whole.items.tolist()
        assert kept.scores.tolist() == whole.scores.tolist()


def test_nothing_fresh_leaves_the_very_vector(model: ServedModel) -> None:
    recommender = model.recommender
    vector, liked = recommender.user_vector(0), recommender.liked(0)
    assert fresh_vector(recommender, vector, liked, np.array([N_ITEMS - 1]), NO_ROWS) is vector
