import ast
from pathlib import Path

import pytest

from scripts import mutants
from tests.processes import PROJECT
from tests.repository import SOURCES

SOURCE = '''"""Ä text with 1 number."""
def f(x: int = 1, *, deep=True):
    if x < 2 and deep:
        raise ValueError(f"{x + 1}")
    print("é", x + 3, not deep)
'''


def test_a_file_s_mutants_change_one_thing_each_and_are_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    found = mutants.mutants_of(Path("a.py"))
    assert [(mutant.line, mutant.before, mutant.after) for mutant in found] == [
        (2, "True", "False"),
        (2, "1", "2"),
        (3, "2", "3"),
        (3, "x < 2", "x <= 2"),
        (3, "x < 2 and deep", "(x < 2 or deep)"),
        (4, 'raise ValueError(f"{x + 1}")', "pass"),
        (3, "x < 2 and deep", "(not (x < 2 and deep))"),
        (5, "3", "4"),
        (5, "x + 3", "x - 3"),
        (5, "not deep", "(deep)"),
        (5, 'print("é", x + 3, not deep)', "pass"),
    ]
    content = SOURCE.encode()
    for mutant in found:
        ast.parse(content[: mutant.start] + mutant.after.encode() + content[mutant.end :])


def test_the_tests_of_a_file_come_first_then_its_room_s_then_those_that_import_it() -> None:
    tests = mutants.concerned(Path("app/http/access.py"))
    assert tests[0] == "tests/app/http/test_access.py"
    assert "tests/app/http/test_middleware.py" in tests
    assert "tests/app/routes/test_items.py" in mutants.concerned(Path("app/schemas/items.py"))
    assert all((PROJECT / test).is_file() for test in tests)


@pytest.mark.long
def test_the_same_seed_gives_the_same_sample() -> None:
    assert mutants.sample(20, 3, []) == mutants.sample(20, 3, []) != mutants.sample(20, 4, [])


@pytest.mark.long
def test_the_copy_holds_all_that_tests_copy_of_the_project(tmp_path: Path) -> None:
    mutants._copy(tmp_path)
    assert [name for name in SOURCES if not (tmp_path / name).exists()] == []
