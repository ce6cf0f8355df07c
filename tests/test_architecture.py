"""Rules of the house that no type checker knows."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import PROJECT

CONTRACT = {"app.artifact", "app.recommender"}
MACHINE_LEARNING = {"lightfm", "scipy", "pandas", "sklearn", "implicit", "surprise", "pyarrow", "training"}


def imports(folder: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((PROJECT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield path, node.module


def test_the_service_imports_nothing_of_training() -> None:
    assert not [(path, name) for path, name in imports("app") if name.split(".")[0] == "training"]


def test_training_imports_only_the_contract_from_the_service() -> None:
    used = {name for _, name in imports("training") if name.split(".")[0] == "app"}
    assert used - {"app"} == CONTRACT


@pytest.mark.parametrize("module", sorted(CONTRACT | {"app.artifact_format"}))
def test_the_contract_needs_only_numpy_and_the_standard_library(module: str) -> None:
    path = PROJECT / f"{module.replace('.', '/')}.py"
    names = {name.split(".")[0] for where, name in imports("app") if where == path}
    assert names <= set(sys.stdlib_module_names) | {"numpy", "app"}


def test_only_one_place_on_each_side_imports_mlflow() -> None:
    sides = ("app", "training")
    users = {path for side in sides for path, name in imports(side) if name.split(".")[0] == "mlflow"}
    places = {path.relative_to(PROJECT) for path in users}
    assert {str(place) for place in places if place.parent != Path("training/tracking")} == {"app/download.py"}


def test_stages_that_must_be_pure_load_no_mlflow() -> None:
    stages = ", ".join(f"training.{stage}" for stage in ("fetch", "prepare", "train", "evaluate", "refit"))
    code = f"import sys, {stages}; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0


def test_the_running_service_loads_no_machine_learning_library() -> None:
    code = "import sys, app.main, app.registry; app.main.create_app(); print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert not MACHINE_LEARNING & set(done.stdout.split())


def test_the_service_s_requirements_stay_small() -> None:
    lines = (PROJECT / "app" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = {line for line in lines if line and line[0] not in "#-"}
    assert packages <= {
        "fastapi",
        "httptools",
        "mlflow-skinny",
        "numpy",
        "prometheus-client",
        "pydantic-settings",
        "threadpoolctl",
        "uvicorn",
    }
