import mlflow

from tests.training.registered import REGISTERED
from training.tracking import guide


def test_the_model_s_page_says_which_alias_to_move_and_how_to_go_back(empty_registry: mlflow.MlflowClient) -> None:
    guide.explain(empty_registry, REGISTERED)
    text = empty_registry.get_registered_model(REGISTERED).description
    for part in (
        "type `production`",
        "`python -m training rollback`",
        "* `challenger` is new",
        "* `previous` was live",
        "*Promote model* on a version's page does something else: it copies",
    ):
        assert part in text


def test_a_description_by_somebody_stays(empty_registry: mlflow.MlflowClient) -> None:
    empty_registry.update_registered_model(REGISTERED, "Ask Ann before you promote.")
    guide.explain(empty_registry, REGISTERED)
    assert empty_registry.get_registered_model(REGISTERED).description == "Ask Ann before you promote."
