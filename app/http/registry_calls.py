"""Asks MLflow for a request that needs its answer."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.errors import PromotionForbiddenError, RegistrySilentError, UnknownVersionError
from app.mask import Mask
from app.model.errors import ModelError, RegistryForbiddenError, VersionMissingError

Result = TypeVar("Result")

# One call at a time: a silent MLflow must not take all threads.
calls = CapacityLimiter(1)


async def ask_registry(ask: Callable[[], Result], mask: Mask) -> Result:
    """Call `ask` in a thread and return its result; a ModelError becomes an answer to the client."""
    try:
        return await to_thread.run_sync(ask, limiter=calls)
    except VersionMissingError as error:
        raise UnknownVersionError(mask(str(error)), field="version") from error
    except RegistryForbiddenError as error:
        advice = "give its account the permission EDIT on the registered model"
        raise PromotionForbiddenError(f"The service may not move the alias: {advice}. {mask(str(error))}") from error
    except ModelError as error:
        raise RegistrySilentError(mask(str(error))) from error
