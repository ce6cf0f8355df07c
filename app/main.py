"""The service put together: `uvicorn --factory app.main:create_app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.errors import InternalError, add_error_handlers, error_responses
from app.follower import Follower
from app.routes import health, model, recommendations
from app.settings import Settings, SettingsError
from app.store import ModelStore
from app.telemetry import configure_logging


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service; without settings the environment is read, and a bad value ends the process with a sentence."""
    settings = settings or _settings_or_exit()
    configure_logging(settings.log_level)
    app = FastAPI(
        title="Movie recommender",
        description="Recommendations from the model version that an MLflow alias names.",
        lifespan=_lifespan,
        # A path is either a route or a 404 in the one error shape.
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses=error_responses(InternalError),
    )
    app.state.settings = settings
    app.state.store = ModelStore()
    app.state.follower = Follower(settings, app.state.store)
    for routes in (recommendations, model, health):
        app.include_router(routes.router)
    add_error_handlers(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    follower: Follower = app.state.follower
    follower.start()
    yield
    follower.stop()


def _operation_id(route: APIRoute) -> str:
    # The function's name: generated clients get readable methods that stay when a path changes.
    return route.name


def _settings_or_exit() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
