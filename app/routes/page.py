"""Serves the page for people: `/` and its files in app/web."""

from pathlib import Path

from fastapi import APIRouter, Response

from app.http.dependencies import CurrentParts
from app.setting_types import comma_separated

FOLDER = Path(__file__).parent.parent / "web"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# The page runs its own scripts and no text that it shows: not one from the catalogue, not one from the address.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images}; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
START = "index.html"
IMAGE_ORIGINS = b"{image_origins}"  # where the page reads them


def _router() -> APIRouter:
    router = APIRouter()
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in TYPES:
            _add(router, "/" if path.name == START else f"/web/{path.name}", path)
    return router


def _add(router: APIRouter, address: str, path: Path) -> None:
    content = path.read_bytes()

    async def show(parts: CurrentParts) -> Response:
        origins = comma_separated(parts.settings.image_origins or "")
        policy = POLICY.format(images="".join(f" {origin}" for origin in origins))
        body = content.replace(IMAGE_ORIGINS, " ".join(origins).encode())
        return Response(body, media_type=TYPES[path.suffix], headers={"Content-Security-Policy": policy})

    # The OpenAPI document is for clients, and these routes are for browsers.
    router.add_api_route(address, show, methods=["GET", "HEAD"], include_in_schema=False, name=path.name)


router = _router()
