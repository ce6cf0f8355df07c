"""notebooks/exploration.ipynb: kept without outputs, and it runs on what a pipeline made."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.processes import PROJECT
from tests.training.world import make_project
from training.project import Project
from training.refit import refit
from training.train import train

NOTEBOOK = Path("notebooks") / "exploration.ipynb"
EXECUTED = "executed.ipynb"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Prepared data and a served model, beside the code and the notebook."""
    project, params = make_project(
        tmp_path_factory.mktemp("notebook") / "a project",
        candidates=["lightfm"],
        models__lightfm__epochs=2,
        models__lightfm__embedding_size=8,
    )
    train(project, params, "lightfm")
    refit(project, params)
    place(project.root)
    return project


def place(root: Path) -> None:
    """The notebook and the code that it reads, in a folder."""
    shutil.copytree(PROJECT / "notebooks", root / "notebooks")
    shutil.copy(PROJECT / "dvc.yaml", root)
    for package in ("app", "training"):
        (root / package).symlink_to(PROJECT / package)


def execute(root: Path) -> "subprocess.CompletedProcess[str]":
    """Run the notebook into executed.ipynb; the kernel is the Python of the tests, whatever kernels a person has."""
    program = str(Path(sys.executable).parent / "jupyter-execute")
    command = [program, "--kernel_name=python3", f"--output={EXECUTED}", str(NOTEBOOK)]
    environment = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": str(root / "ipython")}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_the_notebook_is_kept_without_outputs_and_with_little_metadata() -> None:
    notebook = nbformat.read(PROJECT / NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    for cell in notebook.cells:
        assert not cell.metadata
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.long
def test_it_shows_ratings_map_neighbours_and_recommendations(project: Project) -> None:
    done = execute(project.root)
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(project.root / "notebooks" / EXECUTED, as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    assert {output.output_type for output in outputs} <= {"display_data", "execute_result"}, outputs
    assert sum("image/png" in output.data for output in outputs) == 2
    figures, neighbours, viewer = (output.data["text/html"] for output in outputs if "text/html" in output.data)
    assert "1,200" in figures
    assert neighbours.count("Film ") == 4 * 6
    assert "recommended" in viewer


@pytest.mark.long
def test_it_says_what_to_run_where_the_pipeline_has_not_run(tmp_path: Path) -> None:
    place(tmp_path)
    done = execute(tmp_path)
    assert done.returncode != 0
    assert "data/prepared is missing: run dvc repro" in done.stderr
