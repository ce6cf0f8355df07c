"""Shows the metrics to Prometheus."""

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from app.http.dependencies import CurrentParts

router = APIRouter()


# The OpenAPI document is for clients, and this route is for the operator.
@router.get("/metrics", include_in_schema=False)
async def show_metrics(request: Request, parts: CurrentParts) -> Response:
    """All metrics, in the format that Prometheus prefers."""
    try:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
    except (TypeError, ValueError):
        # The library fails on a version that is no version, such as openmetrics-text; version=abc.
        encode, content_type = choose_encoder("")
    return Response(encode(parts.telemetry.collectors), media_type=content_type)
