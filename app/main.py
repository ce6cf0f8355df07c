"""Puts the service together; `python -m app` starts it."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send
from threadpoolctl import threadpool_limits

from app.errors import InternalError, UnauthorizedError
from app.http.access import API_KEY, API_KEY_HEADER, ApiKeyMiddleware, Secrets
from app.http.descriptors import DescriptorWarning
from app.http.error_answers import add_error_handlers, error_responses
from app.http.front_door import FrontDoor
from app.http.middleware import RequestMiddleware
from app.http.shutdown import GracefulStop
from app.model.store import ModelStore
from app.observability.logs import configure_logging
from app.observability.metrics_port import metrics_port
from app.observability.request_log import RequestLog
from app.observability.telemetry import Telemetry
from app.observability.tracing import tracing_config
from app.registry.follower import Follower
from app.registry.shadow import Shadow
from app.routes import health, history, items, metrics, model, recommendations, reload
from app.settings import Settings, SettingsError, comma_separated

SWITCH_SECONDS = 0.0005
FOR_CLIENTS = (recommendations, history, items, model)
# These need no API key: orchestrators and Prometheus send none, and reload asks for a token of its own.
FOR_OPERATORS = (health, metrics, reload)


class Service(FastAPI):
    """The application, whose front door sees each request first."""

    front_door: FrontDoor | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request at the front door, or behind the middleware."""
        if self.front_door is None or scope["type"] != "http" or not await self.front_door.answers(scope, send):
            await super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None) -> Service:
    """The service. Without `settings` it reads the environment, and exits with a sentence if a value is invalid."""
    settings = settings or _settings_or_exit()
    configure_logging(settings.log_level, settings.log_format)
    tracing = tracing_config()
    app = Service(
        title="Movie recommender",
        description="Recommends films, with the model version that an MLflow alias names.",
        lifespan=_lifespan,
        # A path that is no route gets 404 in our error shape, not a redirect.
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses=error_responses(InternalError),
        telemetry=tracing,
    )
    _add_state(app, settings)
    _add_routes(app, settings)
    add_error_handlers(app)
    _add_middleware(app, settings, traced=tracing["tracing"])
    gc.enable()  # app/__main__.py has switched it off
    if not tracing["tracing"] and settings.shadow_alias is None and settings.cors_origins is None:
        keys = None if settings.api_keys is None else Secrets(comma_separated(settings.api_keys.get_secret_value()))
        app.front_door = FrontDoor(app.state.store, app.state.telemetry, app.state.request_log, keys)
    return app


def _add_state(app: FastAPI, settings: Settings) -> None:
    app.state.settings = settings
    app.state.store = ModelStore()
    app.state.telemetry = Telemetry()
    app.state.follower = Follower(settings, app.state.store, app.state.telemetry.model)
    app.state.request_log = RequestLog(settings.log_level, settings.log_format)
    app.state.stop = GracefulStop(settings.drain_seconds)
    app.state.shadow = None
    if settings.shadow_alias is not None:
        app.state.shadow = Shadow(settings, settings.shadow_alias, app.state.telemetry.collectors)
        app.state.telemetry.compare = app.state.shadow.compare


def _add_routes(app: FastAPI, settings: Settings) -> None:
    # This describes the key in the OpenAPI document; ApiKeyMiddleware checks it.
    keyed = [] if settings.api_keys is None else [Security(API_KEY)]
    responses = error_responses(UnauthorizedError) if keyed else {}
    for routes in FOR_CLIENTS:
        app.include_router(routes.router, dependencies=keyed, responses=responses)
    for routes in FOR_OPERATORS:
        if routes is not reload or settings.admin_token is not None:
            app.include_router(routes.router)


def _add_middleware(app: FastAPI, settings: Settings, *, traced: bool) -> None:
    # The middleware that is added last sees a request first.
    state = app.state
    pages = {path for path in (app.docs_url, app.swagger_ui_oauth2_redirect_url, app.redoc_url) if path is not None}
    if settings.api_keys is not None:
        keys = comma_separated(settings.api_keys.get_secret_value())
        app.add_middleware(ApiKeyMiddleware, keys=keys, open_paths={*pages, str(app.openapi_url), *_operator_paths()})
    if settings.cors_origins is not None:
        # Outside ApiKeyMiddleware: a browser asks for permission without a key.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=comma_separated(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=[API_KEY_HEADER, "X-Request-ID", "Content-Type"],
            expose_headers=["X-Request-ID"],
        )
    app.add_middleware(
        RequestMiddleware,
        store=state.store,
        telemetry=state.telemetry,
        request_log=state.request_log,
        pages=pages,
        traced=traced,
    )


def _operator_paths() -> set[str]:
    return {route.path for routes in FOR_OPERATORS for route in routes.router.routes if isinstance(route, APIRoute)}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    following: list[Follower | Shadow] = [app.state.follower]
    if app.state.shadow is not None:
        following.append(app.state.shadow)
    app.state.stop.install()
    asyncio.get_running_loop().set_exception_handler(DescriptorWarning())
    # More BLAS threads wait for each other in a loop, and take the processor from other requests.
    settings, collectors = app.state.settings, app.state.telemetry.collectors
    with (
        threadpool_limits(1, user_api="blas"),
        metrics_port(settings.metrics_port, settings.metrics_host, collectors),
    ):
        for each in following:
            each.start()
        # A thread that calculates gives way to the event loop after this time, not after the usual 5 ms.
        sys.setswitchinterval(SWITCH_SECONDS)
        yield
        for each in following:
            each.stop()
    app.state.request_log.flush()


def _operation_id(route: APIRoute) -> str:
    # The function's name gives generated clients readable methods, which stay the same when a path changes.
    return route.name


def _settings_or_exit() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
