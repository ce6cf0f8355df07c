"""Renders the report as one HTML file that needs nothing else: pictures inside, no script, no font."""

from base64 import b64encode
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.report.page import Page

TEMPLATE = "page.html.jinja"


def to_html(page: Page) -> str:
    """Render the page; the template escapes every text, titles of films included."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["base64"] = lambda content: b64encode(content).decode("ascii")
    return environment.get_template(TEMPLATE).render(page=page)
