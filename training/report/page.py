"""The parts of a report, before they are HTML. Text is plain: the template escapes it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Cell:
    """One figure or film of a table: `detail` is smaller print, `mark` what stands out about it."""

    text: str
    detail: str = ""
    mark: Literal["", "best", "hit"] = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells below a head; the first column names the row."""

    head: list[str]
    rows: list[list[Cell]]
    kind: str = "table"


@dataclass(frozen=True)
class Picture:
    """A plot: its file's name without suffix, what it shows, and the PNG."""

    name: str
    caption: str
    png: bytes
    kind: str = "picture"


@dataclass(frozen=True)
class Text:
    """A paragraph, with a few bold words before it or none."""

    text: str
    lead: str = ""
    kind: str = "text"


Part: TypeAlias = Table | Picture | Text


@dataclass(frozen=True)
class Section:
    """A heading with what is below it."""

    title: str
    parts: list[Part]


@dataclass(frozen=True)
class Page:
    """The whole report."""

    title: str
    sections: list[Section]
