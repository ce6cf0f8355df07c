import difflib
import re
from pathlib import Path
from typing import Annotated

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, create_trial
from pydantic import Field

import training.__main__ as command
from tests.training.world import ROOT, change_params, make_project
from training.errors import DataError, ParamsError, TrainingError
from training.fitting.validation import Validation
from training.models import make_family
from training.models.base import Factors, IterativeSection, TrainingData, Watch
from training.models.families import FAMILIES
from training.models.search import Between, OneOf, search_space
from training.params.whole import Params, load_params
from training.project import Project
from training.tracking.connection import connect
from training.tuning.params_file import write_params
from training.tuning.search import Search
from training.tuning.study import FAILURE, GIVEN, best_of, distributions, open_study, tried
from training.tuning.summary import search_table
from training.tuning.tune import tune

DEFAULTS = load_params(ROOT / "params.yaml").models


class Gifted(IterativeSection):
    """Knows the taste of a share of the users, and nothing of the others; learns nothing in its epochs."""

    talent: Annotated[float, Field(ge=0, le=1), Between(0.0, 1.0)]
    epochs: int = 8
    patience: int | None = None

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        if self.talent >= 1:
            raise TrainingError("too much talent")
        users, strengths, items = np.linalg.svd(data.positives.toarray(), full_matrices=False)
        users, items = (users * strengths)[:, :4].astype(np.float32), items[:4].T.astype(np.float32)
        users[int(self.talent * len(users)) :] = 0
        factors = Factors(users, items, np.zeros(len(users), np.float32), np.zeros(len(items), np.float32))
        for epoch in range(1, self.epochs + 1):
            if watch is not None:
                watch(epoch, lambda: factors)
        return factors


@pytest.fixture(autouse=True)
def _gifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "gifted", f"{__name__}:Gifted")


@pytest.fixture
def world(tmp_path: Path) -> tuple[Project, Params]:
    return make_project(tmp_path / "a project", models__gifted={"talent": 0.1})


def values(search: Search) -> list[float | None]:
    return [attempt.value for attempt in search.attempts()]


@pytest.mark.long
def test_a_search_begins_with_today_s_parameters_and_finds_better_ones(world: tuple[Project, Params]) -> None:
    search = Search.open(*world, "gifted", "gifted")
    assert len(list(search.run(8))) == 8
    assert tried(search.attempts()[0]) == {"talent": 0.1}
    today, best, better = search.today(), search.best(), search.better_params()
    assert today is not None
    assert today.number == 0
    assert best is not None
    assert better == tried(best)
    assert better["talent"] > 0.1
    assert best.value == max(attempt.value for attempt in search.attempts() if attempt.value is not None)
    head, numbers, metric, talent, advice = search_table(search, applied=False).splitlines()
    assert re.fullmatch(r"gifted: 8 attempts, \d pruned, 0 failed; 80 users of validation", head)
    assert numbers.split() == ["today", "attempt", str(best.number + 1)]
    assert metric.split() == ["ndcg@10", f"{today.value:.4f}", f"{best.value:.4f}"]
    assert talent.split() == ["talent", "0.1", str(better["talent"])]
    assert advice == "  the same command with --apply writes them into params.yaml"
    assert search_table(search, applied=True).endswith("\n  models.gifted in params.yaml has them now; run: dvc repro")


@pytest.mark.long
def test_before_anything_better_is_found_the_table_says_so(world: tuple[Project, Params]) -> None:
    search = Search.open(*world, "gifted", "gifted")
    assert search_table(search, applied=False) == (
        "gifted: 0 attempts, 0 pruned, 0 failed; 80 users of validation\n  no attempt is complete"
    )
    list(search.run(1))
    _, numbers, _, talent, advice = search_table(search, applied=True).splitlines()
    assert numbers.split() == ["today", "attempt", "1"]
    assert talent.split() == ["talent", "0.1"]
    assert advice == "  nothing better than today's parameters was found"
    assert search.better_params() is None


def test_a_suggested_number_has_three_digits_and_a_given_one_all_of_them() -> None:
    def attempt(**attributes: bool) -> FrozenTrial:
        spaces = distributions({"rate": Between(0.1, 0.9), "size": Between(8, 2048)})
        return create_trial(
            params={"rate": 0.123456, "size": 1234}, distributions=spaces, user_attrs=attributes, value=0.5
        )

    assert tried(attempt()) == {"rate": 0.123, "size": 1234}
    assert tried(attempt(**{GIVEN: True})) == {"rate": 0.123456, "size": 1234}


def test_the_best_attempt_is_the_first_of_those_with_the_highest_value() -> None:
    study = optuna.create_study(direction="maximize")
    assert best_of(study) is None
    for value in (0.0, 0.5, 0.5):
        study.add_trial(create_trial(value=value))
    best = best_of(study)
    assert best is not None
    assert best.number == 1


def test_a_range_is_of_whole_numbers_if_both_its_ends_are() -> None:
    found = distributions({"a": Between(1, 8), "b": Between(1, 8.5, log=True), "c": Between(0.5, 8), "d": OneOf((1,))})
    assert [type(each).__name__ for each in found.values()] == [
        "IntDistribution", "FloatDistribution", "FloatDistribution", "CategoricalDistribution",
    ]  # fmt: skip
    assert found["b"] == FloatDistribution(1, 8.5, log=True)
    assert found["c"] == FloatDistribution(0.5, 8)


def test_a_study_is_that_of_its_recipe_in_whatever_order_it_is_written(tmp_path: Path) -> None:
    recipes = ({"data": "x", "seed": 1}, {"seed": 1, "data": "x"}, {"seed": 2, "data": "x"})
    names = [open_study(tmp_path / "a" / "new" / "tuning.db", "ease", recipe, 0).study_name for recipe in recipes]
    assert names[0] == names[1] != names[2]


@pytest.mark.long
def test_the_value_of_an_attempt_is_what_training_gets_with_these_parameters(world: tuple[Project, Params]) -> None:
    project, params = world
    search = Search.open(project, params, "gifted", "gifted")
    for attempt in search.run(3):
        family = make_family("gifted", tried(attempt))
        assert attempt.value == search.validation.fit_validated(family).metric


@pytest.mark.long
def test_a_search_goes_on_where_it_ended(world: tuple[Project, Params]) -> None:
    first = Search.open(*world, "gifted", "gifted")
    list(first.run(3))
    again = Search.open(*world, "gifted", "gifted")
    assert values(again) == values(first)
    assert len(list(again.run(5))) == 2
    assert len({tried(attempt)["talent"] for attempt in again.attempts()}) == 5
    assert list(Search.open(*world, "gifted", "gifted").run(5)) == []


@pytest.mark.long
def test_an_attempt_that_was_interrupted_is_not_counted(
    world: tuple[Project, Params], monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search.open(*world, "gifted", "gifted")
    with monkeypatch.context() as patch:
        patch.setattr(Validation, "measure", interrupt)
        with pytest.raises(KeyboardInterrupt):
            list(search.run(1))
    assert [attempt.state.name for attempt in search.study.trials] == ["FAIL"]
    again = Search.open(*world, "gifted", "gifted")
    assert again.attempts() == []
    list(again.run(1))
    assert again.today() is not None


def interrupt(*_: object) -> float:
    raise KeyboardInterrupt


@pytest.mark.long
def test_another_metric_begins_a_search_of_its_own(world: tuple[Project, Params]) -> None:
    project, params = world
    list(Search.open(project, params, "gifted", "gifted").run(1))
    other = params.model_copy(update={"select": params.select.model_copy(update={"metric": "recall@10"})})
    assert Search.open(project, other, "gifted", "gifted").attempts() == []


@pytest.mark.long
def test_what_stays_below_the_median_is_pruned_but_never_today_s(world: tuple[Project, Params]) -> None:
    search = Search.open(*world, "gifted", "gifted")
    for talent in (0.6, 0.7, 0.8, 0.9):
        search.study.enqueue_trial({"talent": talent})
    search.study.enqueue_trial({"talent": 0.2})
    list(search.run(6))
    assert [attempt.state.name for attempt in search.attempts()] == ["COMPLETE"] * 5 + ["PRUNED"]
    assert search_table(search, applied=False).startswith("gifted: 6 attempts, 1 pruned, 0 failed; 80 users of validat")
    assert search.attempts()[-1].last_step == 5
    changed = change_params(world[0], models__gifted={"talent": 0.05})
    again = Search.open(world[0], changed, "gifted", "gifted")
    list(again.run(8))
    today = again.today()
    assert today is not None
    assert today.value is not None


@pytest.mark.long
def test_an_attempt_that_can_t_be_fitted_is_noted_and_the_search_goes_on(world: tuple[Project, Params]) -> None:
    search = Search.open(*world, "gifted", "gifted")
    search.study.enqueue_trial({"talent": 1.0})
    list(search.run(3))
    assert [attempt.state.name for attempt in search.attempts()] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert search.attempts()[1].user_attrs[FAILURE] == "too much talent"
    assert search_table(search, applied=False).startswith("gifted: 3 attempts, 0 pruned, 1 failed; ")


@pytest.mark.long
def test_a_search_never_reads_the_test_split(world: tuple[Project, Params]) -> None:
    seen = Search.open(*world, "gifted", "gifted")
    list(seen.run(3))
    world[0].studies.unlink()
    (world[0].prepared / "test.parquet").write_bytes(b"not to be opened")
    unseen = Search.open(*world, "gifted", "gifted")
    list(unseen.run(3))
    assert values(unseen) == values(seen)


@pytest.mark.parametrize("family", [name for name in DEFAULTS if name not in ("blend", "popularity")])
def test_each_family_s_ranges_hold_its_default_and_only_what_it_accepts(family: str) -> None:
    default = make_family(family, DEFAULTS[family])
    ranges = {
        name: found
        for name, field in type(default).model_fields.items()  # type: ignore[attr-defined]
        for found in field.metadata
        if isinstance(found, Between | OneOf) and getattr(default, name) is not None  # None follows from the data
    }
    assert ranges == search_space(default, default.model_dump(mode="json"))
    for name, found in ranges.items():
        for value in found.values if isinstance(found, OneOf) else (found.low, found.high):
            make_family(family, {**DEFAULTS[family], name: value})


@pytest.mark.parametrize("family", ["blend", "popularity"])
def test_what_has_nothing_to_search_says_so(world: tuple[Project, Params], family: str) -> None:
    with pytest.raises(ParamsError, match=f"{family} has no parameter to search; of a blend, tune the members"):
        Search.open(*world, family, family)


def test_a_range_grows_to_hold_today_s_value() -> None:
    assert Between(1e-4, 1e-2, log=True).widened(0.1) == Between(1e-4, 0.1, log=True)
    assert Between(1e-4, 1e-2, log=True).widened(0) == Between(0, 1e-2)
    assert OneOf((32, 64)).widened(48) == OneOf((32, 64, 48))


@pytest.mark.long
def test_the_command_writes_the_best_and_changes_no_other_line(
    world: tuple[Project, Params], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, _ = world
    change_params(project, models__sklearn_svd__embedding_size=1)
    write_params(project.params, {"models": {"sklearn_svd": {"embedding_size": 1}}})
    before = project.params.read_text()
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    command.main(["tune", "sklearn_svd", "--attempts", "4", "--apply"])
    printed = capsys.readouterr().out
    assert "attempt 4 of 4: " in printed
    assert "models.sklearn_svd in params.yaml has them now; run: dvc repro" in printed
    changed = changes(before, project.params.read_text())
    assert changed[0].startswith("-    embedding_size: 1 ") or changed[0] == "-    embedding_size: 1"
    assert len(changed) == 2
    assert load_params(project.params).models["sklearn_svd"]["embedding_size"] > 1


def changes(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


def test_found_parameters_leave_the_rest_of_params_yaml_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text()
    path.write_text(before)
    write_params(path, {"models": {"implicit_als": {"alpha": 12.5, "regularization": 1e-05}}})
    assert changes(before, path.read_text()) == [
        "-    alpha: 3.0    # weight of a positive; null: from the data's density",
        "-    regularization: 20.0    # null: from the data's size",
        "+    alpha: 12.5   # weight of a positive; null: from the data's density",
        "+    regularization: 1e-05   # null: from the data's size",
    ]


def test_a_list_in_place_of_a_number_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(before := (ROOT / "params.yaml").read_text())
    with pytest.raises(ParamsError, match="seed"):
        write_params(path, {"seed": [1]})
    assert path.read_text() == before


def test_a_blend_s_member_follows_unless_it_says_otherwise(tmp_path: Path) -> None:
    project, _ = make_project(tmp_path, models__blend__members__ease__regularization=150.0)
    write_params(project.params, {"models": {"ease": {"regularization": 321.0, "item_power": 0.2}}})
    write_params(project.params, {"models": {"lightfm": {"learning_rate": 0.033}}})
    models = load_params(project.params).models
    assert models["ease"]["regularization"] == 321
    assert models["blend"]["members"]["ease"] == {**models["ease"], "regularization": 150}
    assert models["blend"]["members"]["lightfm"] == models["lightfm"]
    assert models["lightfm"]["learning_rate"] == 0.033


@pytest.mark.long
def test_an_interrupted_command_ends_with_a_sentence(
    world: tuple[Project, Params], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world[0].root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setattr(Validation, "measure", interrupt)
    with pytest.raises(
        SystemExit, match="tune: interrupted; finished work is kept, run the same command again to go on"
    ):
        command.main(["tune", "gifted", "--attempts", "2"])


@pytest.mark.parametrize("attempts", ["0", "-3", "many"])
def test_the_number_of_attempts_is_checked(attempts: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["tune", "gifted", "--attempts", attempts])
    assert "argument --attempts" in capsys.readouterr().err


@pytest.mark.parametrize("timeout", ["nan", "inf", "0", "-1", "soon"])
def test_a_timeout_that_is_no_time_is_refused(timeout: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["tune", "ease", "--attempts", "1", "--timeout", timeout])
    assert "argument --timeout: " in capsys.readouterr().err


def test_a_damaged_database_of_attempts_is_named(
    world: tuple[Project, Params], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = world
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    project.studies.parent.mkdir(parents=True)
    project.studies.write_bytes(b"no database" * 1000)
    with pytest.raises(DataError, match=r"tuning\.db can't be used \(.*not a database.*\); move it away, and the sea"):
        tune(*world, "gifted", "gifted", 1, None, print)


@pytest.mark.long
def test_each_attempt_is_told_with_its_outcome_and_the_best_so_far(
    world: tuple[Project, Params], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = world
    params = change_params(project, models__gifted={"talent": 1.0})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    said: list[str] = []
    search = tune(project, params, "gifted", "gifted", 3, None, said.append)
    assert said[0] == f"tune gifted: 0 of 3 attempts so far, in {project.studies}"
    assert re.fullmatch(r"attempt 1 of 3: failed: too much talent in \d+ s \(none complete yet\); talent 1\.0", said[1])
    best = search.best()
    assert best is not None
    so_far = rf"best {best.value:.4f}, attempt {best.number + 1}"
    assert re.fullmatch(rf"attempt 3 of 3: 0\.\d{{4}} in \d+ s \({so_far}\); talent 0\.\d+", said[3])
    experiment = connect(project.root, "movie-recommender").get_experiment_by_name("movie-recommender").experiment_id
    runs = connect(project.root, "movie-recommender").search_runs([experiment], order_by=["start_time"])
    assert {run.info.run_name: run.data.tags.get("outcome") for run in runs if "outcome" in run.data.tags} == {
        "attempt 1": "fail",
        "attempt 2": "complete",
        "attempt 3": "complete",
    }
    said.clear()
    tune(project, params, "gifted", "gifted", 9, 0, said.append)
    assert [line.partition(":")[0] for line in said] == ["tune gifted", "attempt 4 of 9"]
    list(Search.open(project, params, "gifted", "gifted").run(5))  # without MLflow
    tune(project, params, "gifted", "gifted", 5, None, said.append)
    runs = connect(project.root, "movie-recommender").search_runs([experiment])
    assert {"attempt 4", "attempt 5"} <= {run.info.run_name for run in runs}
