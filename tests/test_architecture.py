"""Rules of the house that no type checker knows."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.processes import PROJECT

# Which rooms a room imports, itself left out. A room is a package or a file at the top of app/ or training/; one
# without a dot is of the same side.
MAY_IMPORT = {
    "app.contract": "",
    "app.errors": "",
    "app.setting_types": "contract",
    "app.settings": "contract setting_types",
    "app.mask": "setting_types settings",
    "app.schemas": "contract",
    "app.events": "contract errors model",
    "app.model": "contract errors schemas",
    "app.observability": "contract model",
    "app.registry": "contract errors model observability settings",
    "app.http": "contract errors events mask model observability registry schemas setting_types settings",
    "app.routes": "contract errors events http mask model observability registry schemas setting_types settings",
    "app.__main__": "contract http",
    "app.main": "contract errors http mask observability routes setting_types settings",
    "training.errors": "",
    "training.project": "",
    "training.files": "errors",
    "training.metrics": "",
    "training.params": "app.contract errors metrics",
    "training.progress": "",
    "training.data": "app.contract errors files params progress",
    "training.models": "app.contract errors params progress",
    "training.evaluation": "app.contract data metrics params progress",
    "training.fitting": "app.contract code data evaluation files metrics models params progress project",
    "training.tracking": "app.contract data errors",
    "training.promotion": "app.contract data errors evaluation files fitting metrics params project tracking",
    "training.report": "app.contract data evaluation files metrics params project promotion tracking",
    "training.lists": "app.contract data errors evaluation files params",
    "training.tuning": "check data errors files fitting models params project tracking",
    "training.retrain": "errors",
    "training.trials": "app.contract data errors files metrics params project report retrain tracking",
    "training.pleased": "app.contract data errors files metrics params project report tracking trials",
    "training.check": "errors models params",
    "training.code": "files models params project",
    "training.former": "project",
    "training.fetch": "data errors files params",
    "training.events": "data files params",
    "training.source": "data errors fetch params project promotion tracking tuning",
    "training.propose": "app.contract data errors fetch fitting params project tuning",
    "training.service": "errors",
    "training.editing": "app.contract data errors params project service",
    "training.placing": "errors files service",
    "training.placement_quality": "app.contract data errors evaluation lists metrics params placing project refit",
    "training.prepare": "app.contract data errors files params",
    "training.train": "app.contract data files fitting params project",
    "training.evaluate": "app.contract data evaluation files params project",
    "training.refit": "app.contract data evaluation files fitting models params project",
    "training.register": "app.contract data errors params project promotion report tracking",
    "training.spark": "app.contract data errors evaluate evaluation events files fitting lists models params progress "
    "project refit train",
    "training.engines": "evaluate events export models params prepare project refit spark train",
    "training.export": "app.contract errors lists params progress project tracking",
    "training.commands": "app.contract check code editing engines errors export fetch former lists params "
    "placement_quality placing pleased project promotion propose register retrain source tracking trials tuning",
    "training.__main__": "app.contract commands errors params project",
}
SIDES = ("app.", "training.")
MACHINE_LEARNING = {"lightfm", "scipy", "pandas", "sklearn", "implicit", "surprise", "pyarrow", "training"}


@cache
def imports(folder: str) -> tuple[tuple[Path, str], ...]:
    """Every module, or name in one, that a file imports: `from app import store` imports `app.store`."""
    return tuple(_imports(folder))


def _imports(folder: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((PROJECT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def allowed(room: str) -> set[str]:
    side = room.split(".")[0]
    return {name if "." in name else f"{side}.{name}" for name in MAY_IMPORT[room].split()}


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def room_of_file(path: Path) -> str:
    return room_of(module_of(path))


def arrows(folder: str) -> set[tuple[str, str]]:
    """Which room imports which, without itself."""
    ours = (
        (room_of_file(path), room_of(name)) for path, name in imports(folder) if name.startswith(("app.", "training."))
    )
    return {(source, target) for source, target in ours if source != target}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_exactly_what_the_table_says(room: str) -> None:
    assert {target for source, target in arrows(room.split(".")[0]) if source == room} == allowed(room)


@pytest.mark.parametrize("folder", ["app", "training"])
def test_every_room_is_in_the_table(folder: str) -> None:
    rooms = {room_of_file(path) for path in (PROJECT / folder).rglob("*.py")} - {folder}
    assert rooms == {room for room in MAY_IMPORT if room.split(".")[0] == folder}


def test_rooms_import_in_no_circle() -> None:
    # Raises CycleError.
    assert list(TopologicalSorter({room: allowed(room) for room in MAY_IMPORT}).static_order())


def test_files_import_in_no_circle() -> None:
    """Imports inside of functions count: a file can be read, and changed, after those that it imports."""
    found = [(module_of(path), name) for side in ("app", "training") for path, name in imports(side)]
    modules, graph = {module for module, _ in found}, defaultdict[str, set[str]](set)
    for module, name in found:
        graph[module].add(name if name in modules else name.rpartition(".")[0])
    # Raises CycleError.
    assert list(TopologicalSorter(graph).static_order())


def test_the_service_imports_nothing_of_training() -> None:
    assert not [(path, name) for path, name in imports("app") if name.split(".")[0] == "training"]


def test_the_contract_needs_only_numpy_and_the_language_of_filters_its_parser() -> None:
    contract = [
        (path.name, name.split(".")[0]) for path, name in imports("app") if room_of_file(path) == "app.contract"
    ]
    others = {each for each in contract if each[1] not in {*sys.stdlib_module_names, "numpy", "app"}}
    assert others == {("filter_language.py", "lark")}


def test_only_one_place_on_each_side_imports_mlflow() -> None:
    sides = ("app", "training")
    users = {path for side in sides for path, name in imports(side) if name.split(".")[0] == "mlflow"}
    places = {path.relative_to(PROJECT) for path in users}
    assert {str(place) for place in places if place.parent != Path("training/tracking")} == {"app/registry/download.py"}


def test_stages_that_must_be_pure_load_no_mlflow() -> None:
    stages = ", ".join(f"training.{stage}" for stage in ("fetch", "events", "prepare", "train", "evaluate", "refit"))
    code = f"import sys, {stages}; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0


def test_the_running_service_loads_no_machine_learning_library() -> None:
    code = "import sys, app.main; app.main.create_app(); print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert not MACHINE_LEARNING & set(done.stdout.split())


def test_the_service_s_requirements_stay_small() -> None:
    lines = (PROJECT / "app" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = {line for line in lines if line and line[0] not in "#-"}
    assert packages <= {
        "fastapi",
        "fastapi-offline",
        "httptools",
        "lark",
        "mlflow-skinny",
        "numpy",
        "prometheus-client",
        "psycopg[binary]",
        "pydantic-settings",
        "threadpoolctl",
        "uvicorn",
    }


@pytest.mark.parametrize("side", ["app", "training", "deploy"])
def test_a_test_with_the_name_of_a_module_stands_in_its_room(side: str) -> None:
    """One with the name of its own room tests the room."""
    files = [path.relative_to(PROJECT) for kind in ("py", "js") for path in (PROJECT / side).rglob(f"*.{kind}")]
    modules = [path.parent if path.stem == "__init__" else path for path in files]
    for test in (PROJECT / "tests" / side).rglob("test_*.py"):
        room, name = test.parent.relative_to(PROJECT / "tests"), test.stem.removeprefix("test_")
        rooms = {module.parent for module in modules if module.stem == name}
        assert not rooms or room in rooms or room.name == name, f"{test} has the name of a module in {rooms}"
