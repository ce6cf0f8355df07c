"""What the documentation must not forget."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.processes import PROJECT
from training.params.whole import load_params

DOCS = PROJECT / "docs"
PAGES = [*DOCS.rglob("*.md"), *PROJECT.glob("*.md"), PROJECT / "data" / "own" / "README.md"]
PARAMS = YAML(typ="safe").load(PROJECT / "params.yaml")


NAMED_BY_USERS = ("models.", "events.types.", "catalogue.items.")


def keys(prefix: str, section: dict[str, Any]) -> Iterator[str]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from keys(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}"


@pytest.mark.parametrize("key", [key for key in keys("", PARAMS) if not key.startswith(NAMED_BY_USERS)])
def test_every_parameter_is_documented(key: str) -> None:
    assert f"| `{key}` |" in (PROJECT / "docs" / "params.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("family", PARAMS["models"])
def test_every_family_s_parameters_are_documented(family: str) -> None:
    section = (
        (PROJECT / "docs" / "params.md")
        .read_text(encoding="utf-8")
        .partition(f"## `models.{family}`")[2]
        .partition("\n## ")[0]
    )
    assert section
    for key in PARAMS["models"][family]:
        assert f"`{key}`" in section


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"^(```+).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", prose):
        linked = page.parent / target if target else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_no_line_is_longer_than_140_characters(page: Path) -> None:
    assert [line for line in page.read_text(encoding="utf-8").splitlines() if len(line) > 140] == []


def anchors(page: Path) -> set[str]:
    """What a page's headings can be linked by, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_the_index_lists_every_page(page: Path) -> None:
    assert page.name == "README.md" or f"({page.relative_to(DOCS)})" in (DOCS / "README.md").read_text(encoding="utf-8")


def test_the_two_commands_stand_before_line_25_of_the_readme() -> None:
    head = (PROJECT / "README.md").read_text(encoding="utf-8").splitlines()[:24]
    for command in ("make serve", "make test"):
        assert any(line.startswith(command) for line in head)


def test_the_answer_in_the_readme_is_that_of_the_api_page() -> None:
    """Which a test asks of a running service."""
    [answer] = re.findall(r"(?s)```console\n\$ curl .*?```", _readme("README.md"))
    assert answer in (DOCS / "api.md").read_text(encoding="utf-8")


def test_the_readme_says_the_same_in_french() -> None:
    english, french = _readme("README.md"), _readme("README.fr.md")
    blocks = r"(?s)```.*?```"
    assert re.findall(blocks, french) == re.findall(blocks, english)
    links, code = r"\]\(([^)]+)\)|<(http[^>]+)>", r"`([^`\n]+)`"
    for same in (links, code):
        assert re.findall(same, _prose(french)) == re.findall(same, _prose(english))
    for counted in (r"(?m)^#+ ", r"(?m)^\| ", r"(?m)^\* "):
        assert len(re.findall(counted, french)) == len(re.findall(counted, english))


def _readme(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def _prose(page: str) -> str:
    """All but the blocks, below the choice of language."""
    return re.sub(r"(?s)```.*?```", "", page.partition("\n* ")[2])


def test_the_api_page_says_what_each_type_of_event_means() -> None:
    table = (PROJECT / "docs" / "api.md").read_text().partition("| in the next training |\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == load_params(PROJECT / "params.yaml").event_types.sendable


def test_the_page_of_the_architecture_lists_every_room_once_and_every_stage() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rooms = [
        f"{half}/{path.name}" for half in ("app", "training") for path in (PROJECT / half).iterdir() if path.is_dir()
    ]
    listed = re.findall(r"^\| \[`((?:app|training)/\w+)`\]", page, re.MULTILINE)
    assert sorted(listed) == sorted(room for room in rooms if not room.endswith("__pycache__"))
    steps = re.findall(r"^\d\. `(\w+)`(?: and `(\w+)`)?", page.partition("## A version")[0], re.MULTILINE)
    assert [name for step in steps for name in step if name] == list(
        YAML(typ="safe").load(PROJECT / "dvc.yaml")["stages"]
    )
