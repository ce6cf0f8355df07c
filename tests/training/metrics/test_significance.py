import numpy as np
import pytest
from scipy import stats

from training.metrics.significance import holm, paired_p_value


def test_p_is_that_of_scipy_s_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.random(50), rng.random(50) + 0.1
    assert paired_p_value(ours - theirs) == pytest.approx(stats.ttest_rel(ours, theirs).pvalue)


@pytest.mark.parametrize(("differences", "p"), [([0.0, 0.0, 0.0], 1.0), ([0.3], 1.0), ([0.25, 0.25], 0.0)])
def test_p_is_defined_where_nothing_varies(differences: list[float], p: float) -> None:
    assert paired_p_value(np.array(differences)) == p


def test_holm_s_correction_is_what_is_worked_out_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
