"""The errors of the pipeline: what a person, not a programmer, must correct.

`python -m training` turns each into one sentence on standard error and exit code 1.
"""


class PipelineError(Exception):
    """Base of all errors here; the message says what is wrong, with the value, and what to do."""


class ParamsError(PipelineError):
    """params.yaml is wrong."""


class DataError(PipelineError):
    """A data file is missing, damaged or doesn't hold what it should."""


class TrainingError(PipelineError):
    """A model could not be fitted."""


class TrackingError(PipelineError):
    """MLflow can't be reached or refuses."""


class CollisionError(TrackingError):
    """Another program wrote the same to MLflow at this moment."""
