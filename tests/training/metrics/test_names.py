import pytest

from training.metrics.names import parse_metric


def test_a_name_holds_metric_and_k() -> None:
    assert parse_metric("ndcg@10") == ("ndcg", 10)
    assert parse_metric("auc") == ("auc", None)


@pytest.mark.parametrize("name", ["ndgc@10", "ndcg", "ndcg@0", "auc@10", "ndcg@10.5", ""])
def test_anything_else_is_refused_with_what_is_known(name: str) -> None:
    with pytest.raises(ValueError, match="is not a metric; known are precision@k"):
        parse_metric(name)
