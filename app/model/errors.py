"""The errors that keep a version from being loaded."""


class ModelError(Exception):
    """The base of all reasons why a version is not loaded; the log holds it, and /model shows `code`."""

    code: str = "unexpected"


class RegistryUnavailableError(ModelError):
    """MLflow does not answer, or gives an answer that MLflow never gives."""

    code = "registry_unavailable"


class RegistryForbiddenError(RegistryUnavailableError):
    """MLflow does not let the service's account do that."""


class ModelMissingError(ModelError):
    """No registered model has the name."""

    code = "model_missing"


class AliasMissingError(ModelError):
    """No version has the alias."""

    code = "alias_missing"


class VersionMissingError(ModelError):
    """The version was deleted."""

    code = "version_missing"


class ArtifactMissingError(ModelError):
    """The version holds no artifact."""

    code = "artifact_missing"


class DownloadFailedError(ModelError):
    """The artifact could not be downloaded or stored; the next poll tries again."""

    code = "download_failed"


class ModelNotLoadedError(ModelError):
    """The process lacked memory or descriptors to load it; the next poll tries again."""

    code = "not_loaded"


class ModelRefusedError(ModelError):
    """The artifact is damaged, or its format is newer; not tried again."""

    code = "artifact_refused"


# All values of a model error's `code`: metrics use them as labels.
MODEL_ERROR_CODES = (ModelError.code, *(error.code for error in ModelError.__subclasses__()))
