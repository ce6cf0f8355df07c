"""Shows the API to people at `/docs` and `/redoc`, with scripts of the package fastapi-offline: none from elsewhere."""

import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

FOLDER = Path(str(files("fastapi_offline"))) / "static"
TITLE = "Movie recommender: the API"
# Addresses without a slash at their beginning hold behind a proxy's prefix, too.
DOCUMENT, ICON = "openapi.json", "docs/favicon.png"
PAGES = {
    "/docs": get_swagger_ui_html(
        openapi_url=DOCUMENT,
        title=TITLE,
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url=ICON,
    ),
    "/redoc": get_redoc_html(
        openapi_url=DOCUMENT,
        title=TITLE,
        redoc_js_url="docs/redoc.standalone.js",
        redoc_favicon_url=ICON,
        with_google_fonts=False,
    ),
}
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def _router() -> APIRouter:
    router = APIRouter()
    for address, page in PAGES.items():
        content = bytes(page.body)
        _add(router, address, partial(HTMLResponse, content, headers=_policy(content)))
    for path in sorted(FOLDER.iterdir()):
        _add(router, f"/docs/{path.name}", partial(FileResponse, path))
    return router


def _policy(page: bytes) -> dict[str, str]:
    """What the browser lets a page do: run the scripts from here and the one in it, and ask this service only."""
    inline = "".join(
        f" 'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in INLINE_SCRIPT.findall(page)
    )
    # Both style what they show by scripts, draw icons from their own text, and ReDoc searches in a worker made so.
    policy = (
        f"default-src 'none'; script-src 'self'{inline}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": policy}


def _add(router: APIRouter, address: str, answer: Callable[[], Response]) -> None:
    async def show() -> Response:
        return answer()

    # The OpenAPI document is for clients, and these routes are for browsers.
    router.add_api_route(address, show, methods=["GET", "HEAD"], include_in_schema=False, name=address)


router = _router()
