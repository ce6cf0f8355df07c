"""The errors that a client gets as an answer; model/errors.py has those that keep a version from being loaded.

docs/api.md lists them by code.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType


class ServiceError(Exception):
    """The base of all errors that a client gets; without a message one says its example."""

    status: int
    code: str
    headers: Mapping[str, str] | None = None
    example: str = "The service failed to answer; its log says why."
    example_field: str | None = None

    def __init_subclass__(cls, status: int = 500, code: str = "internal_error") -> None:
        super().__init_subclass__()
        cls.status, cls.code = status, code

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        self.message = self.example if message is None else message
        self.field = field
        super().__init__(self.message)


class InvalidParameterError(ServiceError, status=422, code="invalid_parameter"):
    """A parameter is missing or out of range; `field` names it."""

    example = "k is '0': Input should be greater than or equal to 1."
    example_field = "k"


class UnknownItemsError(ServiceError, status=422, code="items_unknown"):
    """The model knows none of the films in `liked` and `disliked`; `GET /items/popular` needs none."""

    example = "None of the films in liked and disliked is known: '900001', '900002'."


class UnknownUserError(ServiceError, status=404, code="user_unknown"):
    """The model does not know the user."""

    example = "The model does not know the user '900001'."


class UnknownItemError(ServiceError, status=404, code="item_unknown"):
    """The model does not know the film."""

    example = "The model does not know the film '900001'."


class ItemChangedError(ServiceError, status=412, code="item_changed"):
    """The film is another than `If-Match` says: somebody has changed it."""

    example = "The film '601' is another than If-Match says: read it again."
    example_field = "If-Match"


class UnknownPlacementError(ServiceError, status=404, code="placement_unknown"):
    """No placement has the name."""

    example = "There is no placement 'home'; PUT /placements/home makes it."
    example_field = "placement"

    def __init__(self, name: str, *, field: str) -> None:
        super().__init__(f"There is no placement {name!r}; PUT /placements/{name} makes it.", field=field)


class PlacementChangedError(ServiceError, status=412, code="placement_changed"):
    """The placement is another than `If-Match` says: somebody has changed it."""

    example = "The placement 'home' is another than If-Match says: read it again."
    example_field = "If-Match"


class EventsDisabledError(ServiceError, status=404, code="events_disabled"):
    """The service keeps no events: EVENTS_URL is off."""

    example = "This service keeps no events: EVENTS_URL is off."


class AliasNotLoadedError(ServiceError, status=404, code="alias_not_loaded"):
    """No version with the alias is loaded; `TRIAL_SHARE=0` loads that of `challenger`."""

    example = "No version with the alias 'challenger' is loaded; loaded: production."
    example_field = "alias"


class UnknownVersionError(ServiceError, status=404, code="version_unknown"):
    """The registry has no such version."""

    example = "The registry has no version '99' of 'movie-recommender'."
    example_field = "version"


class PromotionForbiddenError(ServiceError, status=403, code="promotion_forbidden"):
    """MLflow does not let the service's account move an alias."""

    example = "MLflow does not let the service's account move the alias: give it the permission EDIT on the model."


class RegistrySilentError(ServiceError, status=503, code="registry_unavailable"):
    """MLflow does not answer; what is loaded goes on answering."""

    example = "MLflow at http://127.0.0.1:5000 failed: [Errno 111] Connection refused"


class BodyTooLargeError(ServiceError, status=413, code="body_too_large"):
    """The body is larger than the limit."""

    example = "The body has more than 1048576 bytes."
    # What the client still sends is not read.
    headers = MappingProxyType({"Connection": "close"})


class ClientGoneError(ServiceError, status=499, code="client_gone"):
    """The client went away; the status, which nginx uses too, keeps this apart from errors of the service."""


class NoModelError(ServiceError, status=503, code="no_model"):
    """No model has been loaded yet; try again shortly."""

    example = "No model has been loaded yet; /model says what is missing."


class CatchingUpError(ServiceError, status=503, code="catching_up"):
    """Answers do not know all events yet; try again shortly."""

    example = "Not all events have been read yet; /model says how far."


class EventsUnavailableError(ServiceError, status=503, code="events_unavailable"):
    """The store of events does not answer; send the events again in a second."""

    example = "The store of events does not answer; send the events again."
    headers = MappingProxyType({"Retry-After": "1"})


class StoppingError(ServiceError, status=503, code="stopping"):
    """The process is stopping; other replicas answer."""


class UnauthorizedError(ServiceError, status=401, code="unauthorized"):
    """The key or token is missing or wrong."""

    def __init__(self, message: str, *, scheme: str) -> None:
        super().__init__(message)
        self.headers = {"WWW-Authenticate": scheme}


class InternalError(ServiceError):
    """A bug in the service; its log holds the traceback."""


class FrameworkError(ServiceError):
    """An error that the framework raises, such as 404 and 405."""

    def __init__(self, message: str, status: int, headers: Mapping[str, str] | None) -> None:
        super().__init__(message)
        self.status = status
        self.code = HTTPStatus(status).name.lower()
        self.headers = headers
