"""The `register` stage: logs the runs, registers the refit winner, and lets the gate decide about its alias.

It is the only stage with side effects. It always runs and registers nothing twice, even where two of it run at once,
because it finds a version by the hash of the artifact. In an experiment (`dvc exp run`) it logs the runs and says what
the gate would decide, but registers nothing and moves no alias.
"""

from collections.abc import Mapping
from contextlib import suppress

from app.contract.alias import CHALLENGER, PRODUCTION
from app.contract.artifact_directory import content_hash
from training.data.dataset import load_dataset
from training.errors import CollisionError
from training.params.whole import Params
from training.project import Project
from training.promotion.contest import Contest
from training.promotion.description import describe
from training.promotion.gate import Ruling
from training.promotion.summary import Registration
from training.report.comparison import gather
from training.report.folder import write_report
from training.report.run_log import log_run, origin, pipeline_hash
from training.tracking import aliases, guide, on_trial, runs, versions
from training.tracking.connection import Client, connect, mlflow_errors

COLLISIONS = 5  # with another program, after each of which the stage finds what is there and goes on


def register(project: Project, params: Params, experiment: str | None = None) -> Registration:
    """Log, register and decide, each unless an earlier run did; for an experiment, only log and say the ruling.

    `experiment` is the name that DVC gives it.

    Raises TrackingError where MLflow can't be reached or refuses.
    """
    for _ in range(COLLISIONS):
        with suppress(CollisionError):
            return _register(project, params, experiment)
    return _register(project, params, experiment)


def compare(project: Project, params: Params) -> None:
    """Write the comparison report again, against what is live now.

    Raises TrackingError where MLflow can't be reached or refuses.
    """
    client = connect(project.root, params.registration.experiment)
    contest = _contest(client, project, params)
    write_report(project.comparison, gather(contest, pipeline_hash(project, params)))


def _register(project: Project, params: Params, experiment: str | None) -> Registration:
    client = connect(project.root, params.registration.experiment)
    name = params.registration.name
    contest = _contest(client, project, params)
    recipe = contest.served.recipe
    tags = origin(project) | {"data_hash": recipe.data_hash}
    if experiment is not None:
        ruling = contest.ruling()
        log_run(client, contest, tags | {"experiment": experiment, "gate_reason": ruling.reason})
        return Registration(name, None, recipe, params.select.metric, f"experiment {experiment}", ruling)
    version = _registered(client, contest, tags)
    guide.explain(client, name)
    aliases.follow(client, name)
    with mlflow_errors():
        decision = client.get_model_version(name, version).tags.get(versions.DECISION)
    if decision is not None:
        live = None if contest.live_version is None else contest.live_version.version
        return Registration(name, version, recipe, params.select.metric, decision, None, live)
    ruling = contest.ruling()
    decision = _carry_out(client, contest, version, ruling)
    return Registration(name, version, recipe, params.select.metric, decision, ruling)


def _contest(client: Client, project: Project, params: Params) -> Contest:
    live = versions.live_version(client, params.registration.name)
    return Contest(project, params, load_dataset(project.prepared), live)


def _registered(client: Client, contest: Contest, tags: Mapping[str, str]) -> str:
    """The version of the served artifact: the one that exists, or a new one below the run of its results."""
    served, name = contest.project.served, contest.params.registration.name
    run_id = log_run(client, contest, tags)
    artifact_hash = content_hash(served)
    registered = versions.find_version(client, name, artifact_hash)
    if registered is not None:
        return str(registered.version)
    tags = {**tags, versions.ARTIFACT_HASH: artifact_hash, "family": contest.candidate}
    with mlflow_errors(), runs.pipeline_run(run_id, {}, {}):
        version = versions.register_version(name, served, contest.evidence(), tags)
    return versions.claim_version(client, name, artifact_hash, version)


def _carry_out(client: Client, contest: Contest, version: str, ruling: Ruling) -> str:
    params = contest.params
    name = params.registration.name
    with mlflow_errors():
        decision = _decision(client, contest, version, ruling)
        _move_aliases(client, contest, version, decision)
        tags = {
            "promote": params.registration.promote,
            "gate_reason": ruling.reason,
            "gate_metric": params.select.metric,
        }
        tags |= {f"gate_{figure}": f"{value:.6f}" for figure, value in ruling.figures.items()}
        text = describe(contest, ruling, decision, versions.run_address(client, name, version))
        client.update_model_version(name, version, text[: versions.LONGEST_DESCRIPTION])
        on_trial.tag(client, name, version, tags | {versions.DECISION: decision})
    return decision


def _decision(client: Client, contest: Contest, version: str, ruling: Ruling) -> str:
    """What becomes of a version: an alias, or a word that its tag says."""
    registration = contest.params.registration
    if registration.promote == "always":
        return PRODUCTION
    if not ruling.promote:
        return versions.REFUSED
    live = aliases.version_of(client, registration.name, PRODUCTION)
    # Without a live version there is nothing to compare with.
    if registration.promote == "gate" or (registration.promote == "trial" and live in (None, version)):
        return PRODUCTION
    # A trial takes weeks: retraining goes on meanwhile and must not cut it short.
    on_trial.end_overtaken(client, registration.name)
    trial = on_trial.running(client, registration.name)
    return CHALLENGER if trial is None or trial.version == version else versions.WAITING


def _move_aliases(client: Client, contest: Contest, version: str, decision: str) -> None:
    registration = contest.params.registration
    name = registration.name
    if decision == PRODUCTION:
        aliases.promote(client, name, version)
        on_trial.end_overtaken(client, name)
    elif decision == CHALLENGER and registration.promote == "trial":
        if on_trial.running(client, name) is None:  # else an earlier run of this stage, which failed, has begun it
            on_trial.begin(client, name, version, registration.trial.share)
    elif decision == CHALLENGER and aliases.version_of(client, name, PRODUCTION) != version:
        aliases.move(client, name, CHALLENGER, version)
