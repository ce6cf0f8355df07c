"""What placements of a file cost on the test, by hand and by the command."""

import re
from pathlib import Path

import numpy as np
import pytest

from app.contract.artifact_directory import load_artifact
from app.contract.recommender import Recommender
from tests.artifacts import film_of
from tests.training.world import Trained
from training.__main__ import main
from training.data.dataset import load_dataset
from training.evaluation.targets import held_out
from training.files import read_json
from training.metrics.ranking import ndcg
from training.project import Project
from training.refit import best_candidate

PLACEMENTS = """\
plain: {}
dramas: {filter: "genres:Drama"}
pinned: {pins: [{item_id: 5, rank: 1, until: 2100-01-01}], k: 1}
"""


@pytest.fixture
def project(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(trained[0].root)
    return trained[0]


def of_dramas(project: Project, candidate: str) -> float:
    """Mean NDCG@10 of lists of dramas alone, from all scores."""
    artifact = load_artifact(project.model(candidate))
    targets, recommender = held_out(artifact, load_dataset(project.prepared)), Recommender(artifact)
    scores = recommender.scores(targets.user_rows)
    dramas = [film for film in range(len(artifact.item_ids)) if "Drama" in film_of(artifact.catalogue, film).genres]
    order = np.array(dramas)[np.argsort(-scores[:, dramas], axis=1, kind="stable")[:, :10]]
    hits = np.take_along_axis(targets.relevant.toarray() > 0, order, axis=1)
    return float(
        ndcg(hits & np.isfinite(np.take_along_axis(scores, order, axis=1)), targets.relevant.getnnz(axis=1)).mean()
    )


def test_the_figures_are_those_of_the_evaluation_and_of_the_rules(
    project: Project, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("placements.yaml").write_text(PLACEMENTS)
    main(["placements", "--evaluate", "placements.yaml"])
    head, _, *rows = capsys.readouterr().out.splitlines()
    candidate = best_candidate(project, trained[1])
    whole = read_json(project.evaluation(candidate), "")
    assert head == f"placements: {whole['users']} test users, of whom {candidate} has not learned the test"
    plain, dramas, pinned = (re.findall(r"[a-z]+|-?\+?[\d.]+", row) for row in rows)
    now = whole["metrics"]["ndcg@10"]
    assert plain == ["plain", "10", f"{now:.4f}", *["+0.0000"] * 3, "0.0", "0.0"]
    change = of_dramas(project, candidate) - now
    assert dramas[:4] == ["dramas", "10", f"{now:.4f}", f"{change:+.4f}"]
    assert float(dramas[4]) < change < float(dramas[5]) < 0
    assert dramas[6] == f"{-100 * change / now:.1f}"
    assert 0 < float(dramas[7]) <= 100
    assert pinned[:2] == ["pinned", "1"]
    assert float(pinned[3]) < 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "home: {filters: 'genres:Drama'}",
            "placements.yaml, home: filters is no field of a placement; those are boosts",
        ),
        ("home: {boosts: [{filter: 'genre:Drama', by: 1}]}", "placements.yaml, home: boosts.0.filter is no filter: "),
        ("home: {boosts: [{filter: 'genres:Drama', by: 1.0e+9}]}", "boosts.0.by is 1000000000.0; expected a number"),
        ("home: {boosts: [{by: 1}]}", "placements.yaml, home: is no placement: 'filter'"),
        ("home: {k: ten}", "placements.yaml, home: k is 'ten'; expected a whole number from 1 to 100"),
        (
            "home: {quotas: [{filter: 'genres:Drama', at_least: 3}, {filter: 'genres:Drama', at_most: 2}]}",
            "placements.yaml, home: quotas.1 contradicts quotas.0",
        ),
        ("{}", "nothing to measure: 0 placements in placements.yaml"),
    ],
)
def test_what_the_service_would_refuse_is_named(project: Project, text: str, message: str) -> None:
    Path("placements.yaml").write_text(text)
    with pytest.raises(SystemExit, match=re.escape(message)):
        main(["placements", "--evaluate", "placements.yaml"])
