"""The folder that a report is: report.md with its pictures, and report.html, which holds them."""

from pathlib import Path

from training.files import replacing
from training.report.comparison import Comparison
from training.report.contents import lay_out
from training.report.html import to_html
from training.report.markdown import to_markdown

MARKDOWN = "report.md"


def write_report(folder: Path, comparison: Comparison) -> None:
    """Write all files, or leave what was there."""
    page = lay_out(comparison)
    with replacing(folder) as partial:
        partial.mkdir()
        (partial / MARKDOWN).write_text(to_markdown(page), encoding="utf-8")
        (partial / "report.html").write_text(to_html(page), encoding="utf-8")
        for picture in page.pictures:
            (partial / f"{picture.name}.png").write_bytes(picture.png)


def tells_of(folder: Path, results: str) -> bool:
    """Whether the report there is that of these results."""
    path = folder / MARKDOWN
    return path.is_file() and results in path.read_text(encoding="utf-8")
