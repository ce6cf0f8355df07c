"""The `code` stage: lists the project's files that each later stage runs, with their hashes.

A stage of dvc.yaml depends on its list instead of on folders, so it runs again when a file that it imports changes, and
only then. docs/decisions/0008 says why.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from training.files import replacing, write_json
from training.models import place_of
from training.params.refit import RefitStage
from training.project import Project

# A line of this file names a module; the lists of the candidates of this family hold that module.
LEFT_OUT = {Path("training/models/families.py")}


def write_code(project: Project, params: RefitStage, engine: str = "embedded", *, fetch_again: bool = False) -> None:
    """Write reports/code: a list for `fetch`, `prepare`, `evaluate` and `refit`, and one for each candidate's `train`.

    With the engine `spark`, all but `fetch` begin in training/spark. Raises ParamsError for a candidate, or a member of
    one, that is no family. `fetch_again` makes `fetch` run whatever it made before: DVC can't see into a database.
    """
    with replacing(project.code) as folder:
        for name, modules in _entry_points(params, engine).items():
            # A blend's members have the parameters of their own sections, which its stage doesn't name.
            members = params.models.get(name.removeprefix("train/"), {}).get("members", {})
            sections = {f"models.{member}": section for member, section in members.items()}
            asked = {"asked at": datetime.now(timezone.utc).isoformat()} if fetch_again and name == "fetch" else {}
            write_json(folder / f"{name}.json", hashes(project.root, modules) | sections | asked)


def _entry_points(params: RefitStage, engine: str) -> dict[str, set[str]]:
    """The modules that each stage starts from, families included, as these are imported by name."""
    stages = "training.spark" if engine == "spark" else "training"
    families = {name: _families(name, params) for name in params.candidates}
    entry_points = {"fetch": {"training.fetch"}} | {stage: {f"{stages}.{stage}"} for stage in ("prepare", "evaluate")}
    entry_points |= {f"train/{name}": {f"{stages}.train"} | modules for name, modules in families.items()}
    return entry_points | {"refit": {f"{stages}.refit"}.union(*families.values())}


def _families(candidate: str, params: RefitStage) -> set[str]:
    """The modules of a candidate's family and, if it has members, of theirs."""
    members = params.models.get(candidate, {}).get("members", {})
    return {place_of(name)[0] for name in (candidate, *members)}


def hashes(root: Path, modules: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of each file in the closure of these modules."""
    return {str(file): hashlib.sha256((root / file).read_bytes()).hexdigest() for file in closure(root, modules)}


def closure(root: Path, modules: Iterable[str]) -> list[Path]:
    """Return the files below `root`, relative to it, of these modules and of all that they import at any depth.

    Imports inside functions count. Modules from elsewhere, such as libraries, have no file below `root`.
    """
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        for file in set(_files(root, waiting.pop())) - found - LEFT_OUT:
            found.add(file)
            waiting += _imports(root / file)
    return sorted(found)


def _files(root: Path, name: str) -> Iterator[Path]:
    """The file of a module, or of the module that holds this name, and those of the packages around it."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        path = Path(*parts[:length])
        yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if (root / file).is_file())


def _imports(file: Path) -> Iterator[str]:
    """The dotted name of everything that a file imports: `from app import contract` gives `app.contract`."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
