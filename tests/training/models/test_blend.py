import numpy as np
import pytest

from tests.training.models.battery import DEFAULTS, FamilyBattery
from training.errors import ParamsError
from training.models import make_family
from training.models.base import Factors, TrainingData
from training.models.blend import _best_weights, _shrunk, cut, mix, score_spread
from training.models.validated_fit import fit_validated

EASE = {"embedding_size": 4, "regularization": 10.0, "max_items": 100}


@pytest.mark.long
class TestBlend(FamilyBattery):
    name = "blend"
    small = {
        "members": {
            "ease": {**DEFAULTS["ease"], "embedding_size": 8, "regularization": 20.0},
            "implicit_als": {**DEFAULTS["implicit_als"], "embedding_size": 8, "regularization": 1.0},
            "lightfm": {**DEFAULTS["lightfm"], "epochs": 8, "patience": 2, "embedding_size": 8},
        }
    }


def random_factors(dim: int, seed: int, scale: float = 1.0) -> Factors:
    rng = np.random.default_rng(seed)
    users, items, user_biases, item_biases = (
        (rng.normal(size=shape) * scale).astype(np.float32) for shape in ((30, dim), (50, dim), 30, 50)
    )
    return Factors(users, items, user_biases, item_biases)


def scores(factors: Factors) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return (factors.user_embeddings @ factors.item_embeddings.T + factors.item_biases).astype(np.float64)


def test_the_spread_is_the_mean_standard_deviation_of_scores() -> None:
    part = random_factors(5, 0)
    spread = score_spread(part.user_embeddings.astype(np.float64), part)
    assert spread == pytest.approx(scores(part).std(axis=1).mean(), rel=1e-5)


def test_a_blend_s_score_is_the_weighted_sum_of_its_members_scores_of_equal_spread() -> None:
    parts = [random_factors(3, 1, scale=0.01), random_factors(6, 2, scale=10)]
    blended = mix(parts, [1.0, 0.5])
    expected = sum(
        weight * scores(part) / scores(part).std(axis=1).mean() for part, weight in zip(parts, [1.0, 0.5], strict=True)
    )
    np.testing.assert_allclose(scores(blended), expected, atol=1e-4)
    assert blended.item_embeddings.shape == (50, 9)


def test_a_member_of_weight_0_takes_no_room() -> None:
    assert mix([random_factors(3, 1), random_factors(6, 2)], [1.0, 0.0]).item_embeddings.shape == (50, 3)


def test_a_member_without_user_vectors_counts_by_its_biases() -> None:
    popular = random_factors(1, 3)
    popular = Factors(
        0 * popular.user_embeddings, 0 * popular.item_embeddings, popular.user_biases, popular.item_biases
    )
    blended = mix([popular, random_factors(3, 1)], [1.0, 1.0])
    alone = mix([random_factors(3, 1)], [1.0])
    added = popular.item_biases / popular.item_biases.std()
    np.testing.assert_allclose(scores(blended), scores(alone) + added, atol=1e-4)


def test_weights_are_those_that_validation_likes_best() -> None:
    good, bad = random_factors(3, 1), random_factors(3, 2)
    wanted = scores(mix([good], [1.0]))
    weights = _best_weights([good, bad], lambda factors: -float(np.abs(scores(factors) - wanted).sum()))
    assert weights == [1.0, 0.0]


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"members": {}, "weights": None}, "members: "),
        ({"members": {"blend": {}}, "weights": None}, "a blend can't be a member of itself"),
        (
            {"members": {"ease": EASE}, "weights": {"als": 1.0}},
            r"weights must name the members \['ease'\], not \['als'\]",
        ),
        ({"members": {"ease": EASE}, "weights": {"ease": 0.0}}, "at least one must be above 0"),
    ],
)
def test_a_wrong_blend_is_refused_in_a_sentence(params: dict[str, object], sentence: str) -> None:
    with pytest.raises(ParamsError, match=f"params.yaml: models.blend: .*{sentence}"):
        make_family("blend", params)


def test_given_weights_are_those_of_the_fit_with_and_without_validation(data: TrainingData) -> None:
    members = {"popularity": {}, "ease": {**EASE, "max_items": 1000}}
    blend = make_family("blend", {"members": members, "weights": {"ease": 3.0, "popularity": 0.5}})
    parts = [make_family(name, params).fit(data, np.random.default_rng(0)) for name, params in members.items()]
    expected = scores(mix(parts, [0.5, 3.0]))
    np.testing.assert_allclose(scores(blend.fit(data, np.random.default_rng(0))), expected, atol=0.05)
    fitted = fit_validated(blend, data, np.random.default_rng(0), lambda factors: 0.5)
    np.testing.assert_allclose(scores(fitted.factors), expected, atol=0.05)
    assert fitted.family.model_dump(mode="json")["weights"] == {"popularity": 0.5, "ease": 3.0}


def test_without_weights_a_fit_gives_every_member_the_same(data: TrainingData) -> None:
    members = {"popularity": {}, "ease": {**EASE, "max_items": 1000}}
    blend = make_family("blend", {"members": members, "weights": None})
    parts = [make_family(name, params).fit(data, np.random.default_rng(0)) for name, params in members.items()]
    np.testing.assert_allclose(
        scores(blend.fit(data, np.random.default_rng(0))), scores(mix(parts, [1.0, 1.0])), atol=0.05
    )


def test_a_weight_of_0_is_accepted_beside_another() -> None:
    blend = make_family("blend", {"members": {"ease": EASE, "popularity": {}}, "weights": {"ease": 1, "popularity": 0}})
    assert blend.model_dump(mode="json")["weights"] == {"ease": 1, "popularity": 0}


def test_the_cut_is_the_closest_product_of_that_rank() -> None:
    whole = mix([random_factors(6, 1), random_factors(9, 2)], [1.0, 1.0])
    small = cut(whole, 5)
    assert small.user_embeddings.shape == (30, 5)
    assert small.item_embeddings.shape == (50, 5)
    np.testing.assert_array_equal(small.item_biases, whole.item_biases)
    product = whole.user_embeddings.astype(float) @ whole.item_embeddings.T
    users, strengths, items = np.linalg.svd(product)
    best = users[:, :5] * strengths[:5] @ items[:5]
    np.testing.assert_allclose(small.user_embeddings @ small.item_embeddings.T, best, atol=1e-4)
    assert cut(whole, 15) is whole


def test_with_fewer_users_than_numbers_the_cut_loses_nothing() -> None:
    whole = mix([random_factors(20, 1), random_factors(19, 2)], [1.0, 1.0])
    small = cut(whole, 35)
    assert small.user_embeddings.shape == (30, 30)
    product = whole.user_embeddings @ whole.item_embeddings.T
    np.testing.assert_allclose(small.user_embeddings @ small.item_embeddings.T, product, atol=1e-4)


def test_a_blend_of_members_with_encoders_has_one_that_the_cut_turns_as_well(data: TrainingData) -> None:
    members = {"ease": {**EASE, "max_items": 1000}, "sklearn_svd": {"embedding_size": 6, "iterations": 7}}
    for size in (None, 5):
        blend = make_family("blend", {"members": members, "weights": None, "embedding_size": size})
        factors = blend.fit(data, np.random.default_rng(0))
        assert factors.encoder is not None
        assert factors.encoder.weights.shape == factors.item_embeddings.shape
        sizes = np.sqrt(np.maximum(np.diff(data.positives.indptr), 1))[:, None]
        np.testing.assert_allclose(data.positives @ factors.encoder.weights / sizes, factors.user_embeddings, atol=1e-4)


def test_weights_that_few_users_chose_are_drawn_towards_equal_ones() -> None:
    assert _shrunk([4.0, 0.0], 2000) == [2.0, 0.0]
    assert _shrunk([4.0, 0.0], 500) == [1.25, 0.75]
    assert _shrunk([3.0, 3.0], 10) == pytest.approx([1.0, 1.0])


def test_a_member_learns_what_it_learns_alone(data: TrainingData) -> None:
    params = {**DEFAULTS["implicit_als"], "embedding_size": 8, "regularization": 1.0}
    blend = make_family("blend", {"members": {"ease": EASE, "implicit_als": params}, "weights": None})
    alone = make_family("implicit_als", params).fit(data, np.random.default_rng(7))
    mixed = blend.fit(data, np.random.default_rng(7)).item_embeddings[:, EASE["embedding_size"] :]
    np.testing.assert_allclose(mixed / mixed[0, 0], alone.item_embeddings / alone.item_embeddings[0, 0], rtol=1e-3)


def test_a_member_that_is_left_out_is_named(data: TrainingData, capsys: pytest.CaptureFixture[str]) -> None:
    members = {"popularity": {}, "ease": {**EASE, "max_items": 1000}}
    blend = make_family("blend", {"members": members, "weights": {"ease": 1.0, "popularity": 0.0}})
    fit_validated(blend, data, np.random.default_rng(0), lambda _: 0.5)
    said = capsys.readouterr().err
    assert "blend: weights popularity 0.00, ease 1.00" in said
    assert "blend: popularity is left out, its weight is 0" in said


def test_a_member_that_scores_all_items_alike_changes_nothing() -> None:
    zeros = np.zeros((50, 2), dtype=np.float32)
    flat = Factors(zeros[:30], zeros, zeros[:30, 0], np.full(50, 7, dtype=np.float32))
    blended = mix([random_factors(3, 1), flat], [1.0, 1.0])
    assert blended.is_usable()
    np.testing.assert_allclose(scores(blended), scores(mix([random_factors(3, 1)], [1.0])), atol=1e-5)
