"""The folder of the report: report.html, which needs nothing else."""

from pathlib import Path

from training.files import replacing
from training.report.comparison import Comparison
from training.report.contents import lay_out
from training.report.html import to_html

PAGE = "report.html"


def write_report(folder: Path, comparison: Comparison) -> None:
    """Write the report; if that fails, the former one stays."""
    page = to_html(lay_out(comparison))
    with replacing(folder) as partial:
        partial.mkdir()
        (partial / PAGE).write_text(page, encoding="utf-8")


def shows(folder: Path, results: str) -> bool:
    """Whether the folder holds these results' report."""
    path = folder / PAGE
    return path.is_file() and results in path.read_text(encoding="utf-8")
