"""The report as one HTML file that needs nothing else: pictures are inside, there is no script and no font."""

from base64 import b64encode
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.report.page import Page

TEMPLATE = "page.html.jinja"


def to_html(page: Page) -> str:
    """The page; every text in it, titles of films among them, is escaped by the template."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["base64"] = lambda content: b64encode(content).decode("ascii")
    return environment.get_template(TEMPLATE).render(page=page)
