"""The section `catalogue`: what is known of items beside their titles, and of people beside their ratings."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from app.contract.artifact_format import MAX_COLUMNS
from app.contract.columns import Column, ColumnType
from app.contract.manifest_checks import FILTERED_TYPES, name_problem
from training.params.section import AtLeastOne, Section

AnyColumn = TypeVar("AnyColumn")
Positive = Annotated[float, Field(gt=0)]


class Values(Section):
    """How values are written in a file, and what models learn of them.

    `separator` is that of tags and of the numbers of a vector. A number is learned by ranges, which are as wide as
    `widths` says, the coarse first; without any, they are tenths of the items. The rows of a vector or of a text have a
    root mean square length of `scale`, beside the 1 that stands for a tag.
    """

    learn: bool = True
    separator: Annotated[str, Field(min_length=1)] = "|"
    widths: Annotated[tuple[Positive, ...], Field(strict=False)] = ()
    scale: Positive = 1.0


class Attribute(Values):
    """A column of users.csv."""

    type: Literal["tag", "tags", "number", "time", "flag", "vector"]

    def described(self, name: str) -> Column:
        """The attribute as the contract knows it: no request filters by people, and no answer shows them."""
        return Column(name, self.type, filter=False, shown=False, learn=self.learn)


class ItemColumn(Values):
    """A column of items.csv; `components` is the number of numbers that a text becomes."""

    type: ColumnType
    components: AtLeastOne = 64
    filter: bool = False
    shown: bool = False

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, content: Any) -> Any:  # noqa: ANN401
        """Where nothing is said, a column is used for all that its type allows."""
        if not isinstance(content, dict):
            return content
        kind = content.get("type")
        allowed = {"learn": kind != "link", "filter": kind in FILTERED_TYPES, "shown": kind != "vector"}
        return {**allowed, **content}

    @model_validator(mode="after")
    def _is_possible(self) -> "ItemColumn":
        if self.learn and self.type == "link":
            raise ValueError("models can't learn from a link: set learn to false")
        if self.filter and self.type not in FILTERED_TYPES:
            raise ValueError(f"requests can't filter by a {self.type}: set filter to false")
        if self.shown and self.type == "vector":
            raise ValueError("answers can't show a vector: set shown to false")
        return self

    def described(self, name: str) -> Column:
        """The column as the contract knows it, without values."""
        return Column(name, self.type, self.filter, self.shown, self.learn)


def _with_names(columns: dict[str, AnyColumn]) -> dict[str, AnyColumn]:
    """Refuse names that an artifact can't hold."""
    if len(columns) > MAX_COLUMNS:
        raise ValueError(f"holds {len(columns)} columns; {MAX_COLUMNS} are possible")
    for name in columns:
        if problem := name_problem(name):
            raise ValueError(f"holds the column {name!r}, {problem}")
    return columns


ItemColumns = Annotated[dict[str, ItemColumn], AfterValidator(_with_names)]
Attributes = Annotated[dict[str, Attribute], AfterValidator(_with_names)]


class CatalogueParams(Section):
    """The columns by name."""

    items: ItemColumns
    users: Attributes


NO_COLUMNS = CatalogueParams(items={}, users={})
