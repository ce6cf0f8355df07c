"""Every command of every page is run by a test, in its order, or has a reason why not."""

import sys
from pathlib import Path

import pytest

from tests.pages import commands
from tests.processes import PROJECT
from tests.repository import Repository
from tests.training.world import grouped_items, grouped_ratings

PAGES = [str(path.relative_to(PROJECT)) for path in (*PROJECT.glob("*.md"), *sorted((PROJECT / "docs").rglob("*.md")))]
HERE = ("README.md", "docs/tuning.md", "docs/report.md")
ELSEWHERE = {
    "CONTRIBUTING.md": "test_contributing.py",
    "README.fr.md": "test_documentation.py",  # it has the commands of README.md
    "docs/experiments.md": "test_experiments.py",
    "docs/recipes.md": "test_pages.py",
    "docs/remote.md": "test_remote.py",
    "docs/tutorial.md": "test_tutorial.py",
}
# The start of a command, and why no test runs it as it stands.
NOT_RUN = {
    "make serve": "test_tutorial.py runs it; it goes on until Ctrl-C",
    "make test": "runs this test",
    "make mutants": "takes minutes; test_mutants.py tests its parts",
    "make soak": "takes an hour",
    "RETRAIN_CRON=": "goes on until Ctrl-C",
    "make up": "needs Docker; tests/compose runs it",
    "make env": "needs Docker; tests/compose runs what follows",
    "make test-compose": "needs Docker",
    "docker ": "needs Docker; tests/compose runs it",
    "curl 'http://127.0.0.1:8000/users/42": "asks a service that Docker runs",
    "curl -H 'Content-Type": "asks a service that make serve runs",
    "curl -X ": "needs a service with CATALOGUE_KEYS; test_catalogue.py asks one",
    "curl -H 'X-API-Key": "needs a service with CATALOGUE_KEYS; test_placement_previews.py asks one",
    "export CATALOGUE_KEY=": "is for the next command",
    "python -m training catalogue --": "test_catalogue_by_files.py runs it",
    "python -m training placements --": "test_placements_by_files.py runs it",
    "python -m training pleased": "needs what people were shown; pleased/test_command.py runs it",
    "python -m training replay": "needs what people were shown by lot; pleased/test_replay.py runs it",
    "python -m training trial": "goes on until Ctrl-C; trials/test_command.py runs it",
    "EVENTS_URL=…": "needs a store of events; test_keep_events.py runs it",
    "kubectl ": "needs a cluster; tests/deploy/test_kubernetes.py renders the overlays",
    "python -m training export": "test_export.py runs it",
    "python -m training source": "test_source.py runs it",
    "sh scripts/backup.sh": "needs Docker; tests/compose runs it",
    "sh scripts/restore.sh": "needs Docker; tests/compose runs it",
    "python3 -m venv": "is for another environment",
    ".venv-service/bin/pip": "needs the package index",
    "MLFLOW_TRACKING_URI=http://127.0.0.1:5000 .venv-service": "needs that environment",
    "MODEL_DIR=": "goes on until Ctrl-C",
    "pip install": "needs the package index",
    "OTEL_EXPORTER": "needs a collector",
    "MOVIELENS_DIR=": "needs the archives of MovieLens and hours",
}


def reason(command: str) -> str | None:
    return next((reason for start, reason in NOT_RUN.items() if command.startswith(start)), None)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_or_has_a_reason(page: str) -> None:
    if page in ELSEWHERE:
        assert f'("{page}")' in (PROJECT / "tests" / ELSEWHERE[page]).read_text(encoding="utf-8")
    elif page not in HERE:
        assert [command for command in commands(page) if reason(command) is None] == []


def test_every_reason_is_of_a_command() -> None:
    everything = [command for page in PAGES if page not in ELSEWHERE for command in commands(page)]
    assert [start for start in NOT_RUN if not any(command.startswith(start) for command in everything)] == []


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A fresh clone with little data of its own, and an environment in which all is installed."""
    folder = tmp_path_factory.mktemp("pages")
    project = Repository.copy(folder / "project")
    project.change(fetch__source="csv", candidates=["popularity"], evaluate__bootstrap=100, register__promote="always")
    project.commit("The project")
    clone = project.clone(folder / "movie recommender")
    (clone.root / ".venv").symlink_to(sys.prefix)
    grouped_ratings().to_csv(clone.root / "data" / "own" / "ratings.csv", index=False)
    grouped_items().to_csv(clone.root / "data" / "own" / "items.csv", index=False)
    return clone


@pytest.mark.pages
@pytest.mark.timeout(600)
def test_the_commands_of_these_pages_succeed_in_their_order(clone: Repository) -> None:
    outputs = {}
    for command in (command for page in HERE for command in commands(page)):
        if command == "python -m training promote 1":  # of two versions
            clone.change(refit__ready_items=10)
            clone.shell("python -m training refit && python -m training register")
        if reason(command) is None:
            outputs[command] = clone.shell(command.replace("--attempts 20", "--attempts 2"))
    assert "movie-recommender version 1 (popularity): production" in outputs["dvc repro"]
    assert "ndcg@10" in outputs["dvc metrics show"]
    assert "version 1 is production, 2 was before" in outputs["python -m training promote 1"]
    assert "version 2 is production, 1 was before" in outputs["python -m training rollback"]
    assert "implicit_als: 2 attempts" in outputs["python -m training tune implicit_als --attempts 20"]
    assert "reports/comparison/report.html" in outputs["python -m training report"]


@pytest.mark.pages
@pytest.mark.timeout(600)
def test_a_recipe_is_proposed_written_and_trained(clone: Repository) -> None:
    outputs = {command: clone.shell(command) for command in commands("docs/recipes.md")}
    assert "(blend)" in outputs["dvc repro"]


@pytest.mark.pages
@pytest.mark.timeout(600)
def test_without_activation_stages_run_with_the_python_of_dvc(clone: Repository, tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho another Python\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    clone.environment["PATH"] = f"{tmp_path}:/usr/bin:/bin"
    assert "Running stage 'code'" in clone.shell(f"'{sys.executable}' -m dvc repro --single-item code")
