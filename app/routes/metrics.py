"""What Prometheus scrapes."""

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from app.http.dependencies import CurrentTelemetry

router = APIRouter()


# Not in the OpenAPI document: it is for the operator's Prometheus, not for clients.
@router.get("/metrics", include_in_schema=False)
async def show_metrics(request: Request, telemetry: CurrentTelemetry) -> Response:
    """The state of all counters, in the format that the scraper prefers."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(telemetry.registry), media_type=content_type)
