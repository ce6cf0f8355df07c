"""The errors that keep a version from being loaded."""


class ModelError(Exception):
    """The base of all reasons why a version is not loaded; the log holds it, and /model shows `code`."""

    code: str = "unexpected"

    def __init_subclass__(cls, code: str | None = None) -> None:
        super().__init_subclass__()
        cls.code = code or cls.code


class RegistryUnavailableError(ModelError, code="registry_unavailable"):
    """MLflow does not answer, or gives an answer that MLflow never gives."""


class RegistryForbiddenError(RegistryUnavailableError):
    """MLflow does not let the service's account do that."""


class ModelMissingError(ModelError, code="model_missing"):
    """No registered model has the name."""


class AliasMissingError(ModelError, code="alias_missing"):
    """No version has the alias."""


class VersionMissingError(ModelError, code="version_missing"):
    """The version was deleted."""


class ArtifactMissingError(ModelError, code="artifact_missing"):
    """The version holds no artifact."""


class DownloadFailedError(ModelError, code="download_failed"):
    """The artifact could not be downloaded or stored; the next poll tries again."""


class ModelNotLoadedError(ModelError, code="not_loaded"):
    """The process lacked memory or descriptors to load it; the next poll tries again."""


class ModelRefusedError(ModelError, code="artifact_refused"):
    """The artifact is damaged, or its format is newer; not tried again."""


# All values of a model error's `code`: metrics use them as labels.
MODEL_ERROR_CODES = (ModelError.code, *(error.code for error in ModelError.__subclasses__()))
