"""params.yaml as a whole."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from app.contract.events import EventTypes
from training.errors import ParamsError
from training.metrics.names import parse_metric
from training.params.evaluate import EvaluateStage
from training.params.fetch import FetchParams
from training.params.prepare import PrepareStage
from training.params.refit import RefitStage
from training.params.register import RegisterParams
from training.params.section import validated
from training.params.spark import SparkParams


class Params(RefitStage, EvaluateStage, PrepareStage):
    """Every section of params.yaml."""

    engine: Literal["embedded", "spark"]
    spark: SparkParams
    fetch: FetchParams
    registration: RegisterParams = Field(alias="register")

    @model_validator(mode="after")
    def _metric_is_measured(self) -> "Params":
        _, k = parse_metric(self.select.metric)
        if k is not None and k not in self.evaluate.at:
            raise ValueError(f"select.metric {self.select.metric!r} needs {k} in evaluate.at {list(self.evaluate.at)}")
        return self

    @model_validator(mode="after")
    def _successes_can_be(self) -> "Params":
        possible = [name for name, rule in self.event_types.rules.items() if rule.success]
        if others := [each for each in self.registration.trial.success if each not in possible]:
            raise ValueError(f"register.trial.success: {others[0]} is not a success; choose from {', '.join(possible)}")
        return self

    @property
    def event_types(self) -> EventTypes:
        """What events mean."""
        return EventTypes(self.events.types, self.prepare.min_rating)


def load_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises ParamsError, naming the key, its value and what is allowed.
    """
    try:
        # YAML 1.2, as DVC reads it: 3e-4 is a number there, and a text to YAML 1.1.
        content = YAML(typ="safe", pure=True).load(path)
    except OSError as error:
        raise ParamsError(f"{path} can't be read ({error}); run from the project's folder") from error
    except (YAMLError, ValueError) as error:
        raise ParamsError(f"{path} is not valid YAML: {' '.join(str(error).split())[:500]}") from error
    except RecursionError as error:
        raise ParamsError(f"{path} has too many brackets or levels inside one another: remove some") from error
    return validated(Params, content, str(path))
