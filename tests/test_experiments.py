"""Every command of docs/experiments.md, as it stands there and in its order, in a git clone."""

import re
from collections import defaultdict
from pathlib import Path

import mlflow
import psutil
import pytest

from tests.pages import commands
from tests.processes import wait_until
from tests.repository import Repository
from tests.training.world import grouped_items, grouped_ratings

pytestmark = [pytest.mark.pages, pytest.mark.timeout(900)]

Outputs = dict[str, list[str]]

SMALL = {
    "lightfm": {"embedding_size": 8, "epochs": 2},
    "implicit_als": {"embedding_size": 8, "epochs": 1},
    "ease": {"embedding_size": 8},
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A git repository with a small LightFM alone, whose pipeline has not run yet; `dvc.lock` is of another machine."""
    repository = Repository.copy(tmp_path_factory.mktemp("experiments") / "movie recommender")
    own = repository.root / "data" / "own"
    grouped_ratings().to_csv(own / "ratings.csv", index=False)
    grouped_items().to_csv(own / "items.csv", index=False)
    repository.change(fetch__source="csv", candidates=["lightfm"], evaluate__bootstrap=100)
    for family, params in SMALL.items():
        for key, value in params.items():
            repository.change(**{f"models__{family}__{key}": value})
            repository.change(**{f"models__blend__members__{family}__{key}": value})
    repository.commit("Our parameters")
    repository.shell("dvc add data/own/ratings.csv data/own/items.csv && dvc repro fetch")
    lock = repository.root / "dvc.lock"
    lock.write_text(re.sub(r"md5: \w{32}\.dir", f"md5: {'0' * 32}.dir", lock.read_text()))
    repository.commit("Our data")
    return repository


@pytest.fixture(scope="module")
def outputs(repository: Repository) -> Outputs:
    """What the page's commands printed; with dvc queue start also the queue when it was done, and a log."""
    found: Outputs = defaultdict(list)
    for command in commands("docs/experiments.md"):
        found[command].append(repository.shell(command))
        if command == "dvc queue start":
            wait_until(lambda: not works(repository.root), seconds=240, step=0.5)
            found[command] += [repository.shell(f"dvc queue {verb}") for verb in ("status", "logs families")]
    return found


def works(root: Path) -> bool:
    """Whether a process is left that works in the folder; asking DVC takes more time than most of what it runs."""
    return any((process.info["cwd"] or "").startswith(str(root)) for process in psutil.process_iter(["cwd"]))


def test_an_experiment_registers_nothing_but_says_what_the_gate_would(outputs: Outputs) -> None:
    (wider,) = outputs["dvc exp run --name wider -S models.lightfm.embedding_size=128"]
    assert "movie-recommender not registered (lightfm): experiment wider" in wider
    assert re.search("(beats|does not beat) live version 1", wider)
    assert re.search(r"models\.lightfm\.embedding_size +8 +128", outputs["dvc params diff"][0])
    assert re.search(r"reports/metrics/lightfm\.json +ndcg@10 +0", outputs["dvc metrics diff"][0])
    assert "dvc_plots/index.html" in outputs["dvc plots diff"][0]


def test_queued_experiments_log_to_the_same_mlflow(outputs: Outputs, repository: Repository) -> None:
    _, status, log = outputs["dvc queue start"]
    assert status.count("Success") == 2
    assert "experiment families" in log
    client = mlflow.MlflowClient(f"sqlite:///{repository.root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("movie-recommender").experiment_id
    runs = client.search_runs([experiment], "attributes.run_name = 'pipeline'")
    assert {run.data.tags.get("experiment") for run in runs} == {None, "wider", "families", "slower"}


def test_experiments_are_compared(outputs: Outputs) -> None:
    (shown,) = next(found for command, found in outputs.items() if command.startswith("dvc exp show"))
    for name in ("[wider]", "[families]", "[slower]", "blend.json:ndcg@10", "models.lightfm.learning_rate"):
        assert name in shown
    assert "reports/metrics/blend.json" in outputs["dvc metrics diff main families"][0]


def test_what_is_kept_is_registered_and_what_was_earlier_is_found_again_without_training(outputs: Outputs) -> None:
    _, kept, earlier = outputs["dvc repro"]
    for output in (kept, earlier):
        assert re.findall("Running stage '(.*)'", output) == ["code", "events", "register"]  # which always run
    assert "movie-recommender version 2 (lightfm): " in kept
    assert "movie-recommender version 1 (lightfm): production, decided before; nothing to do" in earlier


def test_the_alias_moves_by_hand(outputs: Outputs) -> None:
    assert "version 2 is production" in outputs["python -m training promote 2"][0]
    assert "version 1 is production, 2 was before" in outputs["python -m training rollback"][0]
