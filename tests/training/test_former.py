from pathlib import Path

import pytest

from tests.training.world import change_params
from training.__main__ import main
from training.project import Project


def test_the_reports_of_a_candidate_that_is_none_any_more_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    change_params(project, candidates=["popularity"])
    kinds = [lambda name, kind=kind: project.plot(kind, name) for kind in ("learning", "by_k", "popularity")]
    reports = [project.training, project.evaluation, project.metrics, project.users, *kinds]
    for report in reports:
        for name in ("ease", "popularity"):
            report(name).parent.mkdir(parents=True, exist_ok=True)
            report(name).write_text(name)
    project.stats.write_text("{}")
    monkeypatch.chdir(tmp_path)
    main(["code"])
    assert [report("popularity").read_text() for report in reports] == ["popularity"] * len(reports)
    assert not [report("ease") for report in reports if report("ease").exists()]
    assert project.stats.exists()
