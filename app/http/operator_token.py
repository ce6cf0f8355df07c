"""Lets only the operator in, who sends ADMIN_TOKEN as a bearer token."""

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from app.errors import UnauthorizedError
from app.http.access import Secrets, without_blanks
from app.http.dependencies import CurrentParts

SCHEME = "Bearer"
# For the OpenAPI document.
bearer = HTTPBearer(auto_error=False, scheme_name="AdminToken", description="The value of `ADMIN_TOKEN`.")


async def _require_token(request: Request, parts: CurrentParts) -> None:
    # FastAPI's own reading would strip bytes of letters such as à. It reads headers as Latin-1; `encode` undoes that.
    scheme, _, sent = request.headers.get("Authorization", "").encode("latin-1").partition(b" ")
    token = parts.settings.admin_token
    is_known = token is not None and Secrets([token.get_secret_value()]).accepts(without_blanks(sent))
    if not is_known or scheme.lower() != SCHEME.lower().encode():
        raise UnauthorizedError("Send the operator's token as a bearer token.", scheme=SCHEME)


# The dependencies of a route for operators.
OPERATOR = [Security(bearer), Depends(_require_token)]
