"""A section of params.yaml: every key is known, every value checked, every error a sentence."""

import difflib
import reprlib
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from training.errors import ParamsError

Seed = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(ge=0, lt=1)]
AtLeastOne = Annotated[int, Field(ge=1)]
AnyItem = TypeVar("AnyItem")


class Section(BaseModel):
    """A mapping in params.yaml: strictly typed, frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


AnySection = TypeVar("AnySection", bound=Section)
# A file may hold anything, and an error has to stay a sentence.
MOST_ERRORS = 5
SHORT = reprlib.Repr()
SHORT.maxlevel = 2
SHORT.maxstring = SHORT.maxlong = SHORT.maxother = 100


def no_repeats(values: tuple[AnyItem, ...]) -> tuple[AnyItem, ...]:
    """Return the values; raise ValueError where one occurs twice."""
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{value!r} occurs {values.count(value)} times")
    return values


def validated(section: type[AnySection], content: object, where: str) -> AnySection:
    """Return `content` as a `section`; raise ParamsError that starts with `where` and names the key."""
    try:
        return section.model_validate(content)
    except ValidationError as error:
        sentences = [_sentence(section, detail) for detail in error.errors()[:MOST_ERRORS]]
        sentences += [f"and {more} more errors"] if (more := error.error_count() - MOST_ERRORS) > 0 else []
        raise ParamsError(f"{where}: {'; '.join(sentences)}") from error


def _sentence(section: type[BaseModel], detail: ErrorDetails) -> str:
    key = ".".join(map(str, detail["loc"])) or "it"
    if detail["type"] == "extra_forbidden":
        return f"{key} is not a known key{_suggestion(section, detail['loc'])}"
    if detail["type"] == "missing":
        return f"{key} is missing"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return message if isinstance(detail["input"], dict) else f"{key}: {message}"
    return f"{key}: {message[0].lower()}{message[1:]}, not {SHORT.repr(detail['input'])}"


def _suggestion(section: type[BaseModel], location: tuple[int | str, ...]) -> str:
    for key in location[:-1]:
        field = next(f for name, f in section.model_fields.items() if key in (name, f.alias))
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return ""
        section = field.annotation
    known = [field.alias or name for name, field in section.model_fields.items()]
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
