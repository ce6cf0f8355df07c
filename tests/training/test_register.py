import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from app.contract.artifact_directory import content_hash
from tests.processes import free_port
from tests.training.event_store import Said
from tests.training.registered import FirstVersion
from tests.training.world import (
    CANDIDATES,
    ROOT,
    Trained,
    change_params,
    grouped_items,
    grouped_ratings,
    run_stages,
)
from training.__main__ import main
from training.errors import TrackingError
from training.events import events
from training.params.whole import Params
from training.prepare import prepare
from training.project import Project
from training.promotion.checks import CHECKS
from training.promotion.summary import registration_table
from training.register import register
from training.tracking import aliases
from training.tracking.connection import connect

# The command, where the family of the tests is known.
REGISTER = """
from tests.training import families
from training.__main__ import main
families.FAMILIES["test_svd"] = "tests.training.families:TestSVD"
main(["register"])
"""


def client_of(project: Project) -> mlflow.MlflowClient:
    return connect(project.root, "movie-recommender")


def alias(project: Project, name: str) -> str | None:
    return aliases.version_of(client_of(project), "movie-recommender", name)


def again(project: Project, **changes: Any) -> Params:
    """The stages with other parameters."""
    params = change_params(project, candidates=CANDIDATES, **changes)
    run_stages(project, params)
    return params


def newer_data(project: Project, params: Params, **changes: Any) -> None:
    grouped_ratings(**changes).to_csv(project.raw / "interactions.csv", index=False)
    prepare(params, project.raw, project.prepared, project.stats)


def test_the_first_version_that_beats_popularity_goes_live(registered: Trained, first_version: FirstVersion) -> None:
    (project, _), registration = registered, first_version.registration
    assert (registration.version, registration.decision) == ("1", "production")
    assert alias(project, "production") == "1"
    version = client_of(project).get_model_version("movie-recommender", "1")
    assert version.tags["artifact_hash"] == content_hash(project.served)
    assert version.tags["decision"] == "production"
    assert float(version.tags["gate_gain_over_popularity_low"]) > 0
    table = registration_table(registration)
    assert "movie-recommender version 1 (test_svd): production" in table
    assert "popularity" in table


@pytest.mark.long
def test_without_git_the_commit_is_the_one_that_the_environment_names(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project, params = trained
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GIT_COMMIT", "0123abc")
    version = register(project, params).version
    assert client_of(project).get_model_version("movie-recommender", version).tags["git_commit"] == "0123abc"


def test_registering_twice_registers_once(registered: Trained) -> None:
    project, params = registered
    client = client_of(project)
    client.delete_registered_model_alias("movie-recommender", "production")
    second = register(project, params)
    assert second.ruling is None
    assert "decided before; nothing to do" in registration_table(second)
    assert alias(project, "production") is None  # what a person took away isn't given back
    assert len(client.search_model_versions("name='movie-recommender'")) == 1
    assert len(client.search_runs([client.get_experiment_by_name("movie-recommender").experiment_id])) == 3


@pytest.mark.long
@pytest.mark.parametrize("store", ["database", "server"])
def test_registering_at_once_registers_once(trained: Trained, store: str, mlflow_server: str, tmp_path: Path) -> None:
    """Two programs of one folder with its database, or two folders, as on two machines, with a server."""
    project, _ = trained
    name = f"at-once-{store}"
    again(project, register__name=name, register__experiment=name)
    folders = [project.root, project.root]
    if store == "server":
        folders[1] = shutil.copytree(project.root, tmp_path / "another machine")
    uri = mlflow_server if store == "server" else ""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", REGISTER],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": uri},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for folder in folders
    ]  # fmt: skip
    outputs = [program.communicate(timeout=120)[0] for program in programs]
    assert [program.returncode for program in programs] == [0, 0], "\n\n".join(outputs)
    uri = uri or f"sqlite:///{project.root / 'mlflow.db'}"
    client = mlflow.MlflowClient(uri, uri)
    (version,) = client.search_model_versions(f"name='{name}'")
    assert version.version in ("1", 1)
    assert all(f"{name} version 1 (" in output for output in outputs)


@pytest.mark.long
def test_a_full_disk_is_said_in_one_sentence_and_what_was_trained_is_kept(trained: Trained) -> None:
    project, _ = trained
    size, served = (project.root / "mlflow.db").stat().st_size, content_hash(project.served)
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f {size // 1024}; exec '{sys.executable}' -c '{REGISTER}'"],
        cwd=project.root, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.search("^register: MLflow at sqlite.*; models/ and reports/ are kept$", done.stderr.splitlines()[-1])
    assert "Traceback" not in done.stderr
    assert content_hash(project.served) == served


def test_runs_hold_parameters_metrics_curves_reports_and_the_data(registered: Trained) -> None:
    project, _ = registered
    client = client_of(project)
    runs = client.search_runs([client.get_experiment_by_name("movie-recommender").experiment_id])
    by_name = {run.info.run_name: run for run in runs}
    parent, child = by_name["pipeline"], by_name["test_svd"]
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert child.data.params["dim"] == "4"
    report = json.loads(project.evaluation("test_svd").read_text())
    assert child.data.metrics["ndcg_at_10"] == report["metrics"]["ndcg@10"]
    for name, column, kind in (
        ("validation_ndcg_at_10", "value", "learning"),
        ("recall_by_k", "recall", "by_k"),
        ("recommendations_by_tenth", "recommendations", "popularity"),
    ):
        drawn = pd.read_csv(project.plot(kind, "test_svd"), index_col=0)[column]
        assert [(point.step, point.value) for point in client.get_metric_history(child.info.run_id, name)] == [
            *drawn.items()
        ]
    files = {entry.path for entry in client.list_artifacts(child.info.run_id)}
    assert files == {"evaluation.json", "training.json", "users.parquet"}
    assert parent.data.params["prepare.split.test"] == "0.2"
    assert parent.data.tags["data_hash"]
    assert parent.inputs.dataset_inputs[0].dataset.name == "sample"


def test_the_pipeline_s_run_holds_the_comparison_report(registered: Trained) -> None:
    project, _ = registered
    client = client_of(project)
    experiment = client.get_experiment_by_name("movie-recommender").experiment_id
    (run,) = client.search_runs([experiment], "attributes.run_name = 'pipeline'")
    files = {entry.path for entry in client.list_artifacts(run.info.run_id, "comparison")}
    assert files == {"comparison/report.html"}
    logged = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/comparison/report.html")
    assert logged == (project.comparison / "report.html").read_text()
    assert "<strong>Live when this was written:</strong> no version" in logged
    assert run.data.tags["pipeline_hash"] in logged


@pytest.mark.long
def test_the_report_is_written_again_where_it_is_of_other_results_or_on_demand(
    registered: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, params = registered
    page = project.comparison / "report.html"
    page.write_text("of another run")
    register(project, params)
    assert 'popularity<span class="detail">with 0.' in page.read_text()
    page.write_text("damaged")
    monkeypatch.chdir(project.root)
    main(["report"])
    assert "reports/comparison/report.html" in capsys.readouterr().out
    assert "version 1, the recipe of test_svd" in page.read_text()


@pytest.mark.long
def test_recall_on_cold_films_is_a_metric_of_the_run(trained: Trained) -> None:
    project, params = trained
    liked_by_one = pd.DataFrame([(1, 81, 5.0, 2_000_000)], columns=["user_id", "item_id", "rating", "timestamp"])
    pd.concat([grouped_ratings(), liked_by_one]).to_csv(project.raw / "interactions.csv", index=False)
    prepare(params, project.raw, project.prepared, project.stats)
    run_stages(project, params)
    register(project, params)
    client = client_of(project)
    experiment = client.get_experiment_by_name("movie-recommender").experiment_id
    for candidate in CANDIDATES:
        (run,) = client.search_runs([experiment], f"attributes.run_name = '{candidate}'")
        assert run.data.metrics["cold_recall_at_10"] == 1  # the only cold film there is


@pytest.mark.long
def test_an_experiment_logs_and_asks_the_gate_but_registers_only_once_it_is_kept(
    weak: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, params = weak
    params = again(project, models__test_svd={"dim": 4})
    # As DVC runs it from a queue: in a folder of its own, which it throws away.
    queued = Project(project.root / ".dvc" / "tmp" / "exps" / "tmp1")
    for folder in ("data", "models", "reports"):
        shutil.copytree(project.root / folder, queued.root / folder)
    monkeypatch.setenv("DVC_ROOT", str(project.root))
    table = registration_table(register(queued, params, "tidy-hats"))
    assert table.startswith("movie-recommender not registered (test_svd): experiment tidy-hats")
    assert "beats live version 1" in table
    assert not (queued.root / "mlflow.db").exists()
    client = client_of(project)
    runs = [client.get_experiment_by_name("movie-recommender").experiment_id]
    (run,) = client.search_runs(runs, "tags.experiment = 'tidy-hats'")
    assert run.data.tags["gate_reason"].startswith("beats live version 1")
    assert (alias(project, "production"), alias(project, "challenger")) == ("1", None)
    assert len(client.search_model_versions("name='movie-recommender'")) == 1

    assert register(project, params).decision == "production"
    assert client.get_model_version("movie-recommender", "2").run_id == run.info.run_id
    assert len(client.search_runs(runs, "attributes.run_name = 'pipeline'")) == 2


@pytest.mark.long
def test_a_wiped_registry_is_filled_again_without_training(registered: Trained) -> None:
    project, params = registered
    client = client_of(project)
    client.delete_registered_model("movie-recommender")
    assert register(project, params).decision == "production"


@pytest.mark.long
def test_another_recipe_that_is_no_better_is_refused_and_gets_no_alias(registered: Trained) -> None:
    project, _ = registered
    registration = register(project, again(project, models__test_svd={"dim": 5}))
    assert (registration.version, registration.decision) == ("2", "refused")
    assert (alias(project, "production"), alias(project, "challenger")) == ("1", None)
    assert client_of(project).get_model_version("movie-recommender", "2").tags["decision"] == "refused"
    assert registration.ruling is not None
    assert registration.ruling.reason.startswith("does not beat live version 1")
    assert "live" in registration_table(registration)


@pytest.mark.long
def test_a_better_recipe_goes_live_with_other_lists_and_the_former_becomes_previous(weak: Trained) -> None:
    project, _ = weak
    registration = register(project, again(project, models__test_svd={"dim": 4}))
    assert registration.decision == "production"
    assert (alias(project, "production"), alias(project, "previous")) == ("2", "1")
    assert registration.ruling is not None
    assert registration.ruling.checks[-1].sentence.endswith("; the recipe is another one")


@pytest.mark.long
def test_the_live_recipe_is_fitted_again_where_the_data_differ(weak: Trained) -> None:
    project, params = weak
    params = change_params(project, candidates=CANDIDATES, models__test_svd={"dim": 4})
    newer_data(project, params, seed=5)
    run_stages(project, params)
    ruling = register(project, params).ruling
    assert ruling is not None
    assert ruling.promote
    assert ruling.reason.startswith("beats live version 1")


@pytest.mark.long
def test_the_live_recipe_on_newer_data_needs_only_the_guard_rails(registered: Trained) -> None:
    project, params = registered
    newer_data(project, params, n_users=100)
    run_stages(project, params)
    ruling = register(project, params).ruling
    assert ruling is not None
    assert ruling.promote
    assert "the recipe of live version 1 again" in ruling.reason


@pytest.mark.long
def test_data_that_shrank_keep_a_version_from_going_live_and_the_reason_is_said(
    registered: Trained, first_version: FirstVersion
) -> None:
    (project, params), first = registered, first_version.registration
    assert first.ruling is not None
    assert [check.name for check in first.ruling.checks] == list(CHECKS)
    newer_data(project, params, n_users=60)
    run_stages(project, params)
    second = register(project, params)
    assert (second.decision, alias(project, "production")) == ("refused", "1")
    table = registration_table(second)
    assert "again: ndcg@10 0." in table
    assert "; but the data shrank: 60 users after 80, 900 ratings after 1,200, less than 95%" in table
    assert "FAILED  size: the data shrank" in table
    assert re.search(r"ok      lists: lists of 80 users share \d\d% of their films with the live version's", table)
    described = client_of(project).get_model_version("movie-recommender", "2").description
    assert "* size **failed**: the data shrank" in described
    assert "* floods passed: there are no events" in described


@pytest.mark.long
def test_data_of_other_films_are_another_beginning(registered: Trained) -> None:
    project, params = registered
    other_films(project)
    newer_data(project, params, n_users=60)
    registration = register(project, again(project))
    assert (registration.version, registration.decision) == ("2", "production")
    assert registration.ruling is not None
    assert registration.ruling.reason.endswith("in ndcg@10; the live version recommends other films")
    sentences = [check.sentence for check in registration.ruling.checks]
    assert "live version 1 recommends other films, so nothing is compared with it" in sentences
    assert "sizes are not compared: no live version has figures of such data" in sentences


@pytest.mark.long
def test_what_was_said_about_other_films_keeps_a_version_from_going_live(
    registered: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, params = registered
    with Said.in_file(project.root / "events.db") as said:
        said.say(1, 5, "like")
    monkeypatch.setenv("EVENTS_URL", "")
    events(params.fetch, project.events, project.root)
    other_films(project)
    prepare(params, project.raw, project.prepared, project.stats, project.events)
    registration = register(project, again(project))
    assert registration.decision == "refused"
    assert "what people have said is about those: set it aside by python" in registration_table(registration)


def other_films(project: Project) -> None:
    items = grouped_items()
    items.assign(title=[f"Another {title}" for title in items["title"]]).to_csv(project.raw / "items.csv", index=False)


@pytest.mark.long
def test_a_version_without_figures_beside_it_is_compared_by_quality_alone(registered: Trained) -> None:
    project, params = registered
    for recipe in project.root.glob("mlruns/**/evaluation/recipe.json"):  # as an earlier release left it
        content = json.loads(recipe.read_text())
        del content["data"]
        recipe.write_text(json.dumps(content))
        recipe.with_name("lists.parquet").unlink()
    newer_data(project, params, n_users=60)
    run_stages(project, params)
    registration = register(project, params)
    assert registration.decision == "production"
    assert registration.ruling is not None
    assert all(check.passed for check in registration.ruling.checks)


def test_a_version_is_described_for_the_person_who_promotes_it(
    registered: Trained, first_version: FirstVersion
) -> None:
    (project, params), ruling = registered, first_version.registration.ruling
    assert ruling is not None
    client = client_of(project)
    version = client.get_model_version("movie-recommender", "1")
    assert version.description.startswith("test_svd, registered as production: beats popularity by +0.")
    report = json.loads(project.evaluation("test_svd").read_text())
    assert f"| ndcg@10 | {report['metrics']['ndcg@10']:.4f} [" in version.description
    assert "| popularity, 0." in version.description
    assert version.description.count(" passed: ") == len(ruling.checks)
    assert "Learned from 1,200 ratings of 81 items by 80 users." in version.description
    experiment = client.get_experiment_by_name("movie-recommender").experiment_id
    assert f"(#/experiments/{experiment}/runs/{version.run_id})" in version.description
    client.update_model_version("movie-recommender", "1", "A person's own words")
    register(project, params)
    assert client.get_model_version("movie-recommender", "1").description == "A person's own words"


@pytest.mark.long
def test_a_live_version_of_unknown_recipe_is_not_replaced_by_rule(trained: Trained) -> None:
    project, params = trained
    client = client_of(project)
    client.create_registered_model("movie-recommender")
    with mlflow.start_run() as run:
        mlflow.log_text("by hand", "model/readme.txt")
    client.create_model_version("movie-recommender", f"{run.info.artifact_uri}/model", run.info.run_id)
    client.set_registered_model_alias("movie-recommender", "Production", "1")
    registration = register(project, params)
    assert registration.decision == "refused"
    assert registration.ruling is not None
    assert "has no recipe to compare with" in registration.ruling.reason


@pytest.mark.long
def test_a_live_recipe_that_no_longer_exists_is_not_replaced_by_rule(
    registered: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, params = registered
    monkeypatch.delitem(__import__("training.models.families", fromlist=["FAMILIES"]).FAMILIES, "test_svd")
    params = change_params(project, candidates=["popularity"])
    newer_data(project, params, seed=5)
    run_stages(project, params)
    registration = register(project, params)
    assert registration.ruling is not None
    assert "recipe of live version 1 can't be fitted here" in registration.ruling.reason


@pytest.mark.long
@pytest.mark.parametrize(("promote", "decision"), [("never", "challenger"), ("always", "production")])
def test_the_gate_can_be_overruled(trained: Trained, promote: str, decision: str) -> None:
    project, _ = trained
    assert register(project, again(project, register__promote=promote)).decision == decision
    assert alias(project, decision) == "1"


@pytest.mark.long
def test_popularity_alone_does_not_go_live(trained: Trained) -> None:
    project, _ = trained
    params = change_params(project, candidates=["popularity"])
    run_stages(project, params)
    assert register(project, params).decision == "refused"


def test_a_server_that_is_down_is_said_in_one_sentence_within_15_seconds(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, params = trained
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    started = time.monotonic()
    with pytest.raises(
        TrackingError, match=r"the MLflow server at http://127.* does not answer .* everything trained is kept"
    ):
        register(project, params)
    assert time.monotonic() - started < 15
    assert project.served.is_dir()


def test_a_server_that_accepts_but_never_answers_is_given_up_within_15_seconds(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, params = trained
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(TrackingError, match="does not answer"):
            register(project, params)
        assert time.monotonic() - started < 15
