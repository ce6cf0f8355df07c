from pathlib import Path

from training.params.whole import Params
from training.project import Project
from training.report.candidate_figures import write_candidate_figures


def test_a_candidate_has_a_picture_for_each_file_of_points(run: tuple[Project, Params], tmp_path: Path) -> None:
    project, _ = run
    write_candidate_figures(project, "test_svd", "ndcg@10", tmp_path)
    pictures = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(pictures) == ["by_k.png", "learning.png", "popularity.png"]
    assert all(content.startswith(b"\x89PNG") and len(content) > 5000 for content in pictures.values())
    assert len(set(pictures.values())) == 3
