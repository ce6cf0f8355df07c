"""One word for one thing: the glossary's terms are in use, and words that it replaced name nothing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import PROJECT

PAGE = (PROJECT / "docs" / "glossary.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^\| `?([^|`]+?)`? \|", PAGE, re.MULTILINE)[1:]
READ = ("README.md", "app/**/*.py", "training/**/*.py", "docs/**/*.md", "params.yaml", "dvc.yaml")
RETIRED = ("viewer", "incumbent", "defender", "champion", "settle", "settled", "settling", "taste")


def files(*patterns: str) -> Iterator[Path]:
    return (path for pattern in patterns for path in PROJECT.glob(pattern) if path.name != "glossary.md")


@pytest.fixture(scope="module")
def everything() -> str:
    return plain(" ".join(path.read_text(encoding="utf-8") for path in files(*READ)))


def plain(text: str) -> str:
    """Lower case, with one space for whatever separates words."""
    return re.sub(r"[\s_-]+", " ", text).lower()


@pytest.mark.parametrize("term", TERMS)
def test_every_term_is_used(term: str, everything: str) -> None:
    assert re.search(rf"\b{re.escape(plain(term.removesuffix('@k')))}", everything)


def test_terms_are_in_the_order_of_the_alphabet_and_each_is_there_once() -> None:
    assert sorted(set(TERMS), key=str.lower) == TERMS


def names(path: Path) -> Iterator[str]:
    """Every identifier that a file introduces, its own name included."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def words(name: str) -> set[str]:
    """The words of `snake_case` and `CamelCase`, in the singular."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {part.lower().removesuffix("s") for part in parts}


@pytest.mark.parametrize("folder", ["app", "training"])
def test_no_identifier_holds_a_retired_word(folder: str) -> None:
    found = {
        f"{path.relative_to(PROJECT)}: {name}"
        for path in files(f"{folder}/**/*.py")
        for name in names(path)
        if words(name) & set(RETIRED)
    }
    assert not found
