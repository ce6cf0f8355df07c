"""Puts the service together; `python -m app` starts it."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

from fastapi import Depends, FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send
from threadpoolctl import threadpool_limits

from app.contract.version import VERSION
from app.errors import InternalError, InvalidParameterError, ServiceError, UnauthorizedError
from app.http.access import API_KEY, API_KEY_HEADER, CHANGES_PATH, ApiKeyMiddleware, Secrets
from app.http.answer_examples import add_examples
from app.http.descriptors import DescriptorWarning
from app.http.error_answers import add_error_handlers, error_responses
from app.http.front_door import FrontDoor
from app.http.known_uvicorn import warn_if_unknown
from app.http.list_ids import RECOMMENDATION_ID
from app.http.middleware import RequestMiddleware
from app.http.parts import Parts
from app.http.query_names import refuse_unknown_names
from app.http.read_after import POSITION, READ_AFTER
from app.mask import Mask
from app.observability.logs import configure_logging
from app.observability.metrics_port import metrics_port
from app.observability.tracing import tracing_config
from app.routes import (
    api_docs,
    events,
    example_users,
    forget,
    health,
    history,
    impressions,
    item_changes,
    items,
    metrics,
    model,
    page,
    personal_data,
    placement_previews,
    placements,
    pleased,
    promotion,
    recommendations,
    reload,
    status,
    versions,
)
from app.setting_types import comma_separated
from app.settings import Settings, SettingsError

SWITCH_SECONDS = 0.0005
# Routes are tried in this order, and events are many.
FOR_EVENT_KEYS = (events, impressions, personal_data)
FOR_CLIENTS = (*FOR_EVENT_KEYS, recommendations, history, example_users, items, model, versions, status, pleased)
FOR_THE_PAGE = (page, model, versions, status, pleased)  # no request of a client's that figures count
# These need no API key: orchestrators and Prometheus send none.
OPEN = (health, metrics)
# These ask for the operator's token, and exist only if there is one.
FOR_OPERATORS = (reload, promotion, forget)


class Service(FastAPI):
    """The application, whose front door sees each request first."""

    front_door: FrontDoor | None = None

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with an example of each answer."""
        return self.openapi_schema or add_examples(super().openapi())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request at the front door, or behind the middleware."""
        if self.front_door is None or scope["type"] != "http" or not await self.front_door.answers(scope, send):
            await super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None) -> Service:
    """The service. Without `settings` it reads the environment, and exits with a sentence if a value is invalid."""
    settings = settings or _settings_or_exit()
    mask = Mask(settings)
    configure_logging(settings.log_level, settings.log_format, mask)
    tracing = tracing_config()
    app = Service(
        title="Movie recommender",
        version=VERSION,
        description="Recommends films, with the model version that an MLflow alias names.",
        lifespan=_lifespan,
        # The pages of routes/api_docs.py load nothing from another host.
        docs_url=None,
        redoc_url=None,
        # A path that is no route gets 404 in our error shape, not a redirect.
        redirect_slashes=False,
        # The function's name gives generated clients readable methods, which stay the same when a path changes.
        generate_unique_id_function=lambda route: route.name,
        responses=error_responses(InternalError),
        telemetry=tracing,
    )
    parts = app.state.parts = Parts(settings, mask, _paths(*OPEN, *FOR_OPERATORS, *FOR_THE_PAGE))
    _add_routes(app, settings)
    add_error_handlers(app)
    _add_middleware(app, parts, traced=tracing["tracing"])
    gc.enable()  # app/__main__.py has switched it off
    if not tracing["tracing"] and settings.cors_origins is None:
        warn_if_unknown()
        keys = _keys(settings.api_keys)
        app.front_door = FrontDoor(parts.store, parts.lanes, parts.telemetry, parts.request_log, keys)
    return app


def _add_routes(app: FastAPI, settings: Settings) -> None:
    if settings.catalogue_keys is not None:
        app.include_router(item_changes.router)
        app.include_router(placements.router)
        app.include_router(placement_previews.router)
    for routes in FOR_CLIENTS:
        # This describes the key in the OpenAPI document; ApiKeyMiddleware checks it.
        is_keyed = settings.api_keys is not None or (routes in FOR_EVENT_KEYS and settings.events_keys is not None)
        checks = [*([Security(API_KEY)] if is_keyed else []), Depends(refuse_unknown_names)]
        errors: list[type[ServiceError]] = [InvalidParameterError, *([UnauthorizedError] if is_keyed else [])]
        app.include_router(routes.router, dependencies=checks, responses=error_responses(*errors))
    for routes in (*OPEN, *(FOR_OPERATORS if settings.admin_token is not None else ())):
        app.include_router(routes.router)
    if app.openapi_url is not None:
        app.include_router(api_docs.router)
    if settings.web_page:
        app.include_router(page.router)


def _add_middleware(app: FastAPI, parts: Parts, *, traced: bool) -> None:
    # The middleware that is added last sees a request first.
    settings = parts.settings
    pages = _paths(api_docs)
    if settings.web_page:
        pages |= _paths(page)  # it asks for the key itself
    keys, events_keys = _keys(settings.api_keys), _keys(settings.events_keys)
    if keys is not None or events_keys is not None:
        # Changes ask for an editor's key themselves; without editors their path is that of an item.
        changes = {CHANGES_PATH} if settings.catalogue_keys is not None else set[str]()
        open_paths = {*pages, str(app.openapi_url), *_paths(*OPEN, *FOR_OPERATORS), *changes}
        app.add_middleware(ApiKeyMiddleware, keys=keys, open_paths=open_paths, events_keys=events_keys)
    if settings.cors_origins is not None:
        # Outside ApiKeyMiddleware: a browser asks for permission without a key.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=comma_separated(settings.cors_origins),
            allow_methods=["GET", "POST"] + (["PUT", "PATCH", "DELETE"] if settings.catalogue_keys is not None else []),
            allow_headers=[API_KEY_HEADER, "X-Request-ID", READ_AFTER, "Content-Type", "If-Match"],
            expose_headers=["X-Request-ID", POSITION, RECOMMENDATION_ID, "ETag"],
        )
    app.add_middleware(RequestMiddleware, parts.store, parts.telemetry, parts.request_log, pages=pages, traced=traced)


def _keys(setting: SecretStr | None) -> Secrets | None:
    return None if setting is None else Secrets(comma_separated(setting.get_secret_value()))


def _paths(*modules: ModuleType) -> set[str]:
    return {route.path for routes in modules for route in routes.router.routes if isinstance(route, APIRoute)}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    settings = parts.settings
    parts.stop.install()
    asyncio.get_running_loop().set_exception_handler(DescriptorWarning())
    # More BLAS threads wait for each other in a loop, and take the processor from other requests.
    with (
        threadpool_limits(1, user_api="blas"),
        metrics_port(settings.metrics_port, settings.metrics_host, parts.telemetry.collectors),
    ):
        for each in parts.running():
            each.start()
        # A thread that calculates gives way to the event loop after this time, not after the usual 5 ms.
        sys.setswitchinterval(SWITCH_SECONDS)
        parts.figures.start()
        yield
        parts.figures.stop()
        for each in parts.running():
            each.stop()
    parts.request_log.flush()


def _settings_or_exit() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
