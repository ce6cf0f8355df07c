"""Everything that can go wrong, as two trees: what a client is told, and why a model can't be served.

ServiceError                        has a status; answered as {"error": {"code", "message", "field"?, "request_id"}}
├── UnauthorizedError        401    a key or token is needed, and was not sent or is not the right one
├── InvalidParameterError    422    a parameter or body doesn't validate, and nothing else
├── UnknownItemsError        422    none of the films that a taste is told by is known
├── UnknownUserError         404    the model has no such user, on routes that are about a user's past
├── UnknownItemError         404    the model has no such film
├── BodyTooLargeError        413    more bytes than any body needs
├── FrameworkError           4xx    the framework's own: no such route (404), method not allowed (405)
├── NoModelError             503    no model has been loaded yet
├── StoppingError            503    the process is about to end
└── InternalError            500    a bug

ModelError                          has a code; shown on /model and logged, never answered
├── RegistryUnavailableError        MLflow doesn't answer, or not as MLflow does
├── ModelMissingError               no registered model of that name
├── AliasMissingError               no version has the alias
├── VersionMissingError             the version was deleted
├── ArtifactMissingError            the version holds no artifact of ours
├── DownloadFailedError             the artifact could not be fetched or stored; tried again
└── ModelRefusedError               the artifact is damaged, or of a newer format; not tried again
"""

from collections.abc import Mapping
from http import HTTPStatus


class ServiceError(Exception):
    """The base of what a client is told: `except ServiceError as error: error.status, error.code`."""

    status: int = 500
    code: str = "internal_error"
    headers: Mapping[str, str] | None = None
    example: str = "The service failed to answer; its log says why."
    example_field: str | None = None

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidParameterError(ServiceError):
    """A parameter is missing or out of range; `field` names it."""

    status = 422
    code = "invalid_parameter"
    example = "k is '0': Input should be greater than or equal to 1."
    example_field = "k"


class UnknownItemsError(ServiceError):
    """None of the films in `liked` and `disliked` is known; the popular ones may do instead."""

    status = 422
    code = "items_unknown"
    example = "None of the films in liked and disliked is known: '900001', '900002'."


class UnknownUserError(ServiceError):
    """The model knows no such user."""

    status = 404
    code = "user_unknown"
    example = "The model knows no user '900001'."


class UnknownItemError(ServiceError):
    """The model knows no such film."""

    status = 404
    code = "item_unknown"
    example = "The model knows no film '900001'."


class BodyTooLargeError(ServiceError):
    """The body has more bytes than are accepted."""

    status = 413
    code = "body_too_large"
    example = "The body has more than 1048576 bytes."


class NoModelError(ServiceError):
    """No model has been loaded yet; try again shortly."""

    status = 503
    code = "no_model"
    example = "No model has been loaded yet; /model says what is missing."


class StoppingError(ServiceError):
    """The process is about to end; others answer."""

    status = 503
    code = "stopping"


class UnauthorizedError(ServiceError):
    """A key or token is needed, and was not sent or is not the right one."""

    status = 401
    code = "unauthorized"

    def __init__(self, message: str, *, scheme: str) -> None:
        super().__init__(message)
        self.headers = {"WWW-Authenticate": scheme}


class InternalError(ServiceError):
    """A bug in the service; its log holds the traceback."""


class FrameworkError(ServiceError):
    """A status that the framework answers by itself, such as 404 and 405."""

    def __init__(self, message: str, status: int, headers: Mapping[str, str] | None) -> None:
        super().__init__(message)
        self.status = status
        self.code = HTTPStatus(status).name.lower()
        self.headers = headers


class ModelError(Exception):
    """The base of why a version can't be served; `code` is what /model shows as the registry's status."""

    code: str = "unexpected"


class RegistryUnavailableError(ModelError):
    """The registry doesn't answer."""

    code = "registry_unavailable"


class ModelMissingError(ModelError):
    """The registry knows no model of that name."""

    code = "model_missing"


class AliasMissingError(ModelError):
    """No version of the model has the alias."""

    code = "alias_missing"


class VersionMissingError(ModelError):
    """The version that the alias named is gone."""

    code = "version_missing"


class ArtifactMissingError(ModelError):
    """The version has no artifact directory."""

    code = "artifact_missing"


class DownloadFailedError(ModelError):
    """The artifact could not be fetched or stored."""

    code = "download_failed"


class ModelRefusedError(ModelError):
    """The artifact was fetched and is not usable."""

    code = "artifact_refused"


# What `code` of a model error can be: labels of metrics.
MODEL_ERROR_CODES = (ModelError.code, *(error.code for error in ModelError.__subclasses__()))
