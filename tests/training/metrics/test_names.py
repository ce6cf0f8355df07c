import pytest

from tests.training.world import ROOT
from training.metrics.names import WITHOUT_K, parse_metric
from training.metrics.ranking import METRICS


def test_a_name_holds_metric_and_k() -> None:
    assert parse_metric("ndcg@10") == ("ndcg", 10)
    assert parse_metric("auc") == ("auc", None)


@pytest.mark.parametrize("name", ["ndgc@10", "ndcg", "ndcg@0", "auc@10", "ndcg@10.5", ""])
def test_anything_else_is_refused_with_what_is_known(name: str) -> None:
    with pytest.raises(ValueError, match="is not a metric; known are precision@k"):
        parse_metric(name)


def test_the_documentation_of_select_metric_names_every_metric() -> None:
    line = next(line for line in (ROOT / "docs" / "params.md").read_text().splitlines() if "`select.metric`" in line)
    assert all(f"`{name}`" in line for name in (*METRICS, *WITHOUT_K))
