"""params.yaml as frozen models: every key is known, every value checked."""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from training.errors import ParamsError
from training.metrics.names import parse_metric

Share = Annotated[float, Field(ge=0, lt=1)]
ProperShare = Annotated[float, Field(gt=0, lt=1)]
AtLeastOne = Annotated[int, Field(ge=1)]
AnyItem = TypeVar("AnyItem")


def _no_repeats(values: tuple[AnyItem, ...]) -> tuple[AnyItem, ...]:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{value!r} stands there {values.count(value)} times")
    return values


def _rising(values: tuple[int, int]) -> tuple[int, int]:
    if values[0] >= values[1]:
        raise ValueError(f"the second must be above the first, not {list(values)}")
    return values


Source = Literal[
    "sample", "csv", "split", "ml-latest-small", "ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m"
]


class Section(BaseModel):
    """A part of params.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


AnySection = TypeVar("AnySection", bound=Section)


class FetchParams(Section):
    """Where ratings come from."""

    source: Source
    csv_folder: str


class SplitParams(Section):
    """How interactions are divided into train, validation and test."""

    method: Literal["per_user", "global", "random"]
    validation: ProperShare
    test: ProperShare
    min_positives: Annotated[int, Field(ge=3)]

    @model_validator(mode="after")
    def _leaves_something_to_train(self) -> "SplitParams":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test must be below 1, not {self.validation + self.test:g}")
        return self


class PrepareParams(Section):
    """What counts as an interaction, and how it is split."""

    min_rating: float | None
    min_user_ratings: AtLeastOne
    min_item_ratings: Annotated[int, Field(ge=0)]
    features: Annotated[tuple[Literal["genres", "decade", "year"], ...], Field(strict=False)]
    split: SplitParams


class EvaluateParams(Section):
    """What is measured."""

    at: Annotated[tuple[AtLeastOne, ...], Field(min_length=1, strict=False), AfterValidator(_no_repeats)]
    segments: Annotated[tuple[AtLeastOne, AtLeastOne], Field(strict=False), AfterValidator(_rising)]
    bootstrap: Annotated[int, Field(ge=100)]


class SelectParams(Section):
    """What decides."""

    metric: str
    validation_users: Annotated[int, Field(ge=100)]


class RefitParams(Section):
    """What is served."""

    ready_items: Annotated[int, Field(ge=0, le=1000)]


class GateParams(Section):
    """What a new version must show to be promoted."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    min_gain: float
    max_drop: Share


class RegisterParams(Section):
    """Where and how a trained model is registered."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^/:.%\"']+$")]
    experiment: Annotated[str, Field(min_length=1)]
    promote: Literal["gate", "never", "always"]
    gate: GateParams


class Params(Section):
    """The whole of params.yaml; `models` holds a mapping per family, which the family itself checks."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    threads: AtLeastOne
    fetch: FetchParams
    prepare: PrepareParams
    candidates: Annotated[tuple[str, ...], Field(min_length=1, strict=False), AfterValidator(_no_repeats)]
    models: dict[str, dict[str, Any]]
    evaluate: EvaluateParams
    select: SelectParams
    refit: RefitParams
    registration: RegisterParams = Field(alias="register")

    @model_validator(mode="after")
    def _metric_is_measured(self) -> "Params":
        _, k = parse_metric(self.select.metric)
        if k is not None and k not in self.evaluate.at:
            raise ValueError(f"select.metric {self.select.metric!r} needs {k} in evaluate.at {list(self.evaluate.at)}")
        return self


def load_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises ParamsError, naming the key, its value and what is allowed.
    """
    try:
        # YAML 1.2, as DVC reads it: 3e-4 is a number there, and a text to YAML 1.1.
        content = YAML(typ="safe", pure=True).load(path)
    except OSError as error:
        raise ParamsError(f"{path} can't be read ({error}); run from the project's folder") from error
    except YAMLError as error:
        raise ParamsError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    return validated(Params, content, str(path))


def validated(section: type[AnySection], content: object, where: str) -> AnySection:
    """`content` as a `section`; raises ParamsError that starts with `where` and names the key."""
    try:
        return section.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"{where}: {'; '.join(_sentence(section, detail) for detail in error.errors())}") from error


def _sentence(section: type[BaseModel], detail: ErrorDetails) -> str:
    key = ".".join(map(str, detail["loc"])) or "it"
    if detail["type"] == "extra_forbidden":
        return f"{key} is not a known key{_suggestion(section, detail['loc'])}"
    if detail["type"] == "missing":
        return f"{key} is missing"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return message if isinstance(detail["input"], dict) else f"{key}: {message}"
    return f"{key}: {message[0].lower()}{message[1:]}, not {detail['input']!r}"


def _suggestion(section: type[BaseModel], location: tuple[int | str, ...]) -> str:
    for key in location[:-1]:
        field = next(f for name, f in section.model_fields.items() if key in (name, f.alias))
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return ""
        section = field.annotation
    known = [field.alias or name for name, field in section.model_fields.items()]
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
