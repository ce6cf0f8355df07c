"""Shows the metrics to Prometheus."""

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from app.http.dependencies import CurrentTelemetry

router = APIRouter()


# The OpenAPI document is for clients, and this route is for the operator.
@router.get("/metrics", include_in_schema=False)
async def show_metrics(request: Request, telemetry: CurrentTelemetry) -> Response:
    """All metrics, in the format that Prometheus prefers."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(telemetry.collectors), media_type=content_type)
