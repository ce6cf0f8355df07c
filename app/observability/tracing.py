"""Turns on FastAPI's OpenTelemetry instrumentation if OpenTelemetry's variables ask for it."""

import logging
import os
from importlib.util import find_spec

from fastapi.telemetry import TelemetryConfig

DEFAULT_ENDPOINT = "http://localhost:4318"  # OpenTelemetry's own for OTLP over HTTP
REQUIREMENTS = "app/requirements-tracing.txt"
OFF = TelemetryConfig(tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False)

logger = logging.getLogger(__name__)


def tracing_config() -> TelemetryConfig:
    """One span for each request if the variables are set, else nothing, whatever MLflow sets up for itself.

    Metrics and logs are not exported: Prometheus reads the metrics, and logs go to standard error.
    """
    if not _is_asked_for():
        return OFF
    if not _has_exporter():
        logger.warning(
            "OpenTelemetry's variables are set, but its exporter is not installed and nothing is traced: "
            "pip install -r %s",
            REQUIREMENTS,
        )
        return OFF
    os.environ.setdefault("OTEL_SERVICE_NAME", "movie-recommender")
    if not _endpoint():
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = DEFAULT_ENDPOINT
    return {**OFF, "tracing": True, "auto_configure": True}


def name_span(method: str, route: str) -> None:
    """Name the span of the current request after its route, as FastAPI does for the routes that it finds itself."""
    from opentelemetry import trace

    span = trace.get_current_span()
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)


def _is_asked_for() -> bool:
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    return exporter != "none" and bool(exporter or _endpoint())


def _endpoint() -> str | None:
    return os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")


def _has_exporter() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False
