from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from tests.training.world import Trained
from training.report import candidate_figures
from training.report.candidate_figures import write_candidate_figures


def test_a_candidate_has_a_picture_for_each_file_of_points(with_cold_film: Trained, tmp_path: Path) -> None:
    project, _ = with_cold_film
    write_candidate_figures(project, "test_svd", "ndcg@10", tmp_path)
    pictures = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(pictures) == ["by_k.png", "learning.png", "popularity.png"]
    assert all(content.startswith(b"\x89PNG") and len(content) > 5000 for content in pictures.values())
    assert len(set(pictures.values())) == 3


def test_the_pictures_show_the_points_of_the_files_and_the_best_epoch(
    with_cold_film: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = with_cold_film
    drawn: list[Axes] = []

    def keep(axes: Axes) -> bytes:
        drawn.append(axes)
        return b""

    monkeypatch.setattr(candidate_figures, "png", keep)
    learning = pd.DataFrame({"epoch": [1, 2, 3], "value": [0.1, 0.3, 0.2]})
    learning.to_csv(path := tmp_path / "learning.csv", index=False)
    plot = type(project).plot
    monkeypatch.setattr(
        type(project), "plot", lambda self, name, of: path if name == "learning" else plot(self, name, of)
    )
    write_candidate_figures(project, "test_svd", "ndcg@10", tmp_path)
    curve, by_k, popularity = drawn
    assert [np.asarray(line.get_xdata())[0] for line in curve.lines] == [1, 2]
    table = pd.read_csv(project.plot("by_k", "test_svd"))
    assert {line.get_label(): np.asarray(line.get_ydata()).tolist() for line in by_k.lines} == {
        name: table[name].tolist() for name in table.columns.drop("k")
    }
    shares = pd.read_csv(project.plot("popularity", "test_svd"))
    heights = [bar.get_height() for bars in popularity.containers for bar in bars]
    assert heights == [*shares["interactions"], *shares["recommendations"]]
