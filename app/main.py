"""The service put together: `uvicorn --factory app.main:create_app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from threadpoolctl import threadpool_limits

from app.errors import InternalError, UnauthorizedError
from app.http.access import API_KEY, API_KEY_HEADER, ApiKeyMiddleware
from app.http.error_answers import add_error_handlers, error_responses
from app.http.fast_path import FastPath
from app.http.middleware import RequestMiddleware
from app.http.shutdown import GracefulStop
from app.model.store import ModelStore
from app.observability.logs import configure_logging
from app.observability.request_log import RequestLog
from app.observability.telemetry import Telemetry
from app.observability.tracing import tracing_config
from app.registry.follower import Follower
from app.registry.shadow import Shadow
from app.routes import health, history, items, metrics, model, recommendations, reload
from app.settings import Settings, SettingsError, listed


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service; without settings the environment is read, and a bad value ends the process with a sentence."""
    settings = settings or _settings_or_exit()
    configure_logging(settings.log_level, settings.log_format)
    tracing = tracing_config()
    app = FastAPI(
        title="Movie recommender",
        description="Recommendations from the model version that an MLflow alias names.",
        lifespan=_lifespan,
        # A path is either a route or a 404 in the one error shape.
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses=error_responses(InternalError),
        telemetry=tracing,
    )
    _add_state(app, settings)
    _add_routes(app, settings)
    add_error_handlers(app)
    _add_middleware(app, settings, traced=tracing["tracing"])
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
        app.state.shadow = Shadow(settings, settings.shadow_alias, app.state.telemetry.registry)
        app.state.telemetry.compare = app.state.shadow.compare


def _add_routes(app: FastAPI, settings: Settings) -> None:
    # For the OpenAPI document: ApiKeyMiddleware does the checking.
    keyed = [] if settings.api_keys is None else [Security(API_KEY)]
    for routes in (recommendations, history, items, model):
        app.include_router(
            routes.router, dependencies=keyed, responses=error_responses(UnauthorizedError) if keyed else {}
        )
    for routes in (health, metrics):
        app.include_router(routes.router)
    if settings.admin_token is not None:
        app.include_router(reload.router)


def _add_middleware(app: FastAPI, settings: Settings, *, traced: bool) -> None:
    # The last one added sees a request first.
    app.add_middleware(FastPath, store=app.state.store, telemetry=app.state.telemetry, route=recommendations.FOR_USER)
    if settings.api_keys is not None:
        app.add_middleware(ApiKeyMiddleware, keys=listed(settings.api_keys.get_secret_value()))
    if settings.cors_origins is not None:
        # Around the keys: a browser asks for permission without one.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=listed(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=[API_KEY_HEADER, "X-Request-ID", "Content-Type"],
            expose_headers=["X-Request-ID"],
        )
    app.add_middleware(
        RequestMiddleware,
        store=app.state.store,
        telemetry=app.state.telemetry,
        request_log=app.state.request_log,
        traced=traced,
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    following: list[Follower | Shadow] = [app.state.follower]
    if app.state.shadow is not None:
        following.append(app.state.shadow)
    app.state.stop.install()
    # Threads of one product wait for each other in a loop, and take the processor from requests beside it.
    with threadpool_limits(1, user_api="blas"):
        for each in following:
            each.start()
        yield
        for each in following:
            each.stop()
    app.state.request_log.flush()


def _operation_id(route: APIRoute) -> str:
    # The function's name: generated clients get readable methods that stay when a path changes.
    return route.name


def _settings_or_exit() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
