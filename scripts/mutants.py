"""Changes one small thing in the code at a time, and counts the changes that a test notices: python -m scripts.mutants.

docs/testing.md says how to read the result.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

from scripts.programs import running

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("app", "training", "deploy")
NEEDED = (
    *ROOMS, "tests", "scripts", "docs", "recipes", "benchmarks", "notebooks", "data/own", ".dvc/config",
    ".dvc/.gitignore",
)  # fmt: skip
# Rooms whose content is tested by what uses it, and where those tests are.
USED_BY = {
    "app": "app/http",
    "app/contract": "app/routes",
    "app/events": "app/routes",
    "app/http": "app/routes",
    "app/observability": "app/http",
    "app/routes": "app/http",
    "app/schemas": "app/routes",
    "app/model": "app/routes",
    "training/lists": "training",
    "training/promotion": "training",
    "training/tracking": "training",
    "training": "test_*_by_files.py",
}
BY_HAND = ("training/spark", "training/models/spark_als.py")  # make test-spark tests them, which needs Java and minutes
SECONDS = 300  # for the tests of one mutant; what takes longer hangs, which somebody would notice
PLUGINS = ("-p", "pytest_timeout", "-p", "no:cacheprovider")
WITH_LONG = "not compose and not pages and not hostile and not spark"  # of make test and make test-long

COMPARISONS: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.LtE(), ast.LtE: ast.Lt(), ast.Gt: ast.GtE(), ast.GtE: ast.Gt(), ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(), ast.Is: ast.IsNot(), ast.IsNot: ast.Is(), ast.In: ast.NotIn(), ast.NotIn: ast.In(),
}  # fmt: skip
OPERATORS: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(), ast.Sub: ast.Add(), ast.Mult: ast.Div(), ast.Div: ast.Mult(), ast.FloorDiv: ast.Mult(),
}  # fmt: skip


class Mutant(NamedTuple):
    """A change of a file: the text from `start` to `end`, in bytes, is replaced."""

    path: Path
    line: int
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        """Where it is and what it changes, in one line."""
        before, after = (" ".join(text.split())[:60] for text in (self.before, self.after))
        return f"{self.path}:{self.line}: {before} → {after}"


def mutants_of(path: Path) -> list[Mutant]:
    """List every mutant of a file; the path is relative to the project."""
    source = (ROOT / path).read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, after in _changes(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        found.append(Mutant(path, node.lineno, start, end, source[start:end].decode(), after))
    return found


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Nodes with the text that replaces each; none in annotations, f-strings, examples and `strict`."""
    if isinstance(node, ast.keyword) and node.arg in ("examples", "strict"):
        return
    for name, child in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            for each in child if isinstance(child, list) else [child]:
                if isinstance(each, ast.AST) and not isinstance(each, ast.JoinedStr):
                    yield from _changes(each)
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield node.test, f"(not ({ast.unparse(node.test)}))"
    elif isinstance(node, ast.Compare):
        yield node, _with(node, ops=[COMPARISONS[type(node.ops[0])], *node.ops[1:]])
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield node, _with(node, op=OPERATORS[type(node.op)])
    elif isinstance(node, ast.BoolOp):
        yield node, f"({_with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node, f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield node, str(node.value + 1)
    elif _may_go(node):
        yield node, "pass"


def _may_go(node: ast.AST) -> TypeGuard[ast.stmt]:
    """Whether Python runs without this statement."""
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await))
    return is_call or isinstance(node, (ast.AugAssign, ast.Raise, ast.Continue, ast.Break))


def _with(node: ast.expr, **changed: object) -> str:
    mutated = copy.copy(node)
    for name, value in changed.items():
        setattr(mutated, name, value)
    return ast.unparse(mutated)


def concerned(path: Path) -> list[str]:
    """The tests of a file: those of its name first, then those of its room, then others that import it or use it."""
    module, side = ".".join(path.with_suffix("").parts).removesuffix(".__init__"), ROOT / "tests" / path.parts[0]
    files = sorted(test.relative_to(ROOT) for test in side.rglob("test_*.py"))
    room = next(folder for folder in path.parents if any(test.parent == "tests" / folder for test in files))
    users = [test for test in files if module in (ROOT / test).read_text(encoding="utf-8")]
    above = _tests(USED_BY.get(str(path.parent), "nowhere"))
    near = [test for test in files if test.parent == "tests" / room]
    found = sorted(dict.fromkeys([*near, *users, *above]), key=lambda test: test.stem != f"test_{path.stem}")
    return [str(test) for test in found]


def _tests(place: str) -> list[Path]:
    """The files of tests in a room, or of names with a `*`."""
    found = (ROOT / "tests").glob(place if "*" in place else f"{place}/test_*.py")
    return sorted(test.relative_to(ROOT) for test in found)


def run(folder: Path, tests: list[str], seconds: int = SECONDS) -> str | None:
    """Run tests in a folder; returns what fails first, None if nothing does."""
    command = [sys.executable, "-m", "pytest", "-m", WITH_LONG, "-x", "-q", "--no-header", *PLUGINS, *tests]
    # Plugins of other packages take seconds to load; in narrow columns pytest leaves out why a test failed.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "300"}
    with tempfile.TemporaryFile("w+b") as output:
        with running(command, environment=environment, folder=folder, output=output) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                return f"no end within {seconds} s"
        output.seek(0)
        lines = output.read().decode(errors="replace").splitlines()
    if process.returncode < 0:
        sys.exit(f"Something ended pytest with signal {-process.returncode}: is memory short? Run the same again.")
    failed = [line for line in lines if line.startswith(("FAILED tests", "ERROR tests"))]
    return None if process.returncode == 0 else next(iter(failed), f"pytest ends with {process.returncode}")


def sample(size: int, seed: int, only: list[str]) -> list[Mutant]:
    """Draw mutants: at most three of a file, those of files that differ from `main` first; or all of `only`."""
    paths = [path.relative_to(ROOT) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    if only:
        return [m for path in paths for m in mutants_of(path) if f"{path}:{m.line}" in only or str(path) in only]
    rng = random.Random(seed)  # noqa: S311 - a sample needs no secret
    tested = [path for path in paths if not any(map(path.is_relative_to, BY_HAND))]
    drawn = [rng.sample(found, min(3, len(found))) for path in tested if (found := mutants_of(path))]
    mutants = [mutant for of_file in drawn for mutant in of_file]
    rng.shuffle(mutants)
    git = ["git", "diff", "--name-only", "main", "--", *ROOMS]
    changed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    return sorted(mutants, key=lambda mutant: str(mutant.path) not in changed)[:size]


def main() -> None:
    """Print each mutant with what notices it; exit with 1 if fewer than 95 % are noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="a file, or file:line, instead of a sample")
    parser.add_argument("--number", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    mutants = sample(options.number, options.seed, options.only)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _copy(folder)
        tests = sorted({test for mutant in mutants for test in concerned(mutant.path)})
        if failure := run(folder, tests, seconds=3600):
            sys.exit(f"The tests fail without a mutant: {failure}")
        unnoticed = [mutant for mutant in mutants if not _is_noticed(folder, mutant)]
    print(f"{len(mutants) - len(unnoticed)} of {len(mutants)} noticed", *unnoticed, sep="\n")
    sys.exit(len(unnoticed) > 0.05 * len(mutants))


def _is_noticed(folder: Path, mutant: Mutant) -> bool:
    path, began = folder / mutant.path, time.monotonic()
    source = path.read_bytes()
    path.write_bytes(source[: mutant.start] + mutant.after.encode() + source[mutant.end :])
    failure = run(folder, concerned(mutant.path))
    path.write_bytes(source)
    print(f"{'noticed' if failure else 'UNNOTICED'} {mutant} ({time.monotonic() - began:.0f} s) {failure}", flush=True)
    return failure is not None


def _copy(folder: Path) -> None:
    """Copy what the tests need, so that the working tree stays as it is."""
    files = [path.name for path in ROOT.iterdir() if path.is_file() and path.name != "mlflow.db"]
    for name in (*NEEDED, *files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)


if __name__ == "__main__":
    main()
