"""The report as Markdown, with pictures beside it."""

import re

from training.report.page import Cell, Page, Part, Picture, Section, Table

_MARKUP = re.compile(r"([\\`*_\[\]|~$])")
_MARKS = {"": "{}", "best": "**{}**", "hit": "**{}** ✓"}


def to_markdown(page: Page) -> str:
    """GitHub's dialect; pictures are links to <name>.png."""
    return "\n\n".join([f"# {escaped(page.title)}", *map(_section, page.sections)]) + "\n"


def escaped(text: str) -> str:
    """Text that shows as it is within a line and within a table's cell: no markup, no HTML, no line end."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKUP.sub(r"\\\1", plain)


def _section(section: Section) -> str:
    return "\n\n".join([f"## {escaped(section.title)}", *map(_part, section.parts)])


def _part(part: Part) -> str:
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Picture):
        return f"![{escaped(part.caption)}]({part.name}.png)"
    return (f"**{escaped(part.lead)}** " if part.lead else "") + escaped(part.text)


def _table(table: Table) -> str:
    head = [[escaped(name) for name in table.head], ["---"] * len(table.head)]
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in head + rows)


def _cell(cell: Cell) -> str:
    text = _MARKS[cell.mark].format(escaped(cell.text)) if cell.text else ""
    return f"{text} {escaped(cell.detail)}".strip()
