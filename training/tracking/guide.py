"""Tells people on MLflow's page of the registered model how to promote a version, and how to go back."""

from app.contract.alias import CHALLENGER, PREVIOUS, PRODUCTION
from training.tracking.connection import Client, mlflow_errors

# MLflow shows a line break within a paragraph, so each paragraph is one line.
PARAGRAPHS = (
    "A movie recommender. Each version is one trained model; an alias decides which one people get.",
    f"* `{PRODUCTION}` is live: the service answers from it.\n"
    f"* `{PREVIOUS}` was live before.\n"
    f"* `{CHALLENGER}` is new: the gate let it through, and a person or a trial decides whether it goes live.",
    f"**Promote a version:** in its row below, open the editor of its aliases, type `{PRODUCTION}`, and save. MLflow "
    "takes the alias from the version that has it. The service follows within seconds, without a failed request. "
    "Nothing else needs to be done. The blue button *Promote model* on a version's page does something else: it copies "
    "the version to another model, which nobody serves.",
    f"**Go back:** give `{PRODUCTION}` to the version that was live, or run `python -m training rollback`.",
    "**Decide:** a version's page says how it was measured. Its tag `gate_reason` is the gate's sentence. The "
    "service's own page shows, for a user, the lists of two versions side by side.",
)


def explain(client: Client, name: str) -> None:
    """Describe the registered model, unless somebody has described it."""
    with mlflow_errors():
        if not client.get_registered_model(name).description:
            client.update_registered_model(name, "\n\n".join(PARAGRAPHS))
