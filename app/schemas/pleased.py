"""What the service answers about lists that pleased, as training has computed it."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Version = Annotated[str, Field(description="A version.", examples=["7"])]
Share = Annotated[float, Field(examples=[0.12])]


class Rate(BaseModel):
    """A rate with its interval, in which each person counts as one."""

    model_config = ConfigDict(allow_inf_nan=False)

    value: float = Field(description="The rate.", examples=[0.052])
    low: float = Field(description="The lower end of its interval.", examples=[0.047])
    high: float = Field(description="The upper end of its interval.", examples=[0.057])


class PleasedFigure(BaseModel):
    """What became of the lists of one group."""

    dimension: str = Field(
        description="By what lists are told apart: `all`, `version`, `placement`, `source`, `rank`, `day`, "
        "`day and version`, `people` or `films`.",
        examples=["placement"],
    )
    group: str = Field(description="Which lists; of `day and version` both, with a blank between.", examples=["home"])
    people: int = Field(description="Who was shown something.", examples=[310])
    lists: int = Field(description="In how many lists.", examples=[1204])
    shown: int = Field(description="Films of these that were on a screen.", examples=[9511])
    clicks: int = Field(description="Shown films that were clicked.", examples=[802])
    successes: int = Field(description="Shown films that were liked.", examples=[495])
    click_rate: Rate | None = Field(description="Clicks a shown film; null with less than two people.")
    success_rate: Rate | None = Field(description="Successes a shown film.")
    good_lists: Rate | None = Field(description="Lists with a success, as a share of all.")


class VersionDifference(BaseModel):
    """How much more of what a version showed was a success than of another's."""

    version: Version
    against: str = Field(description="The version that showed most.", examples=["6"])
    success_rate: Rate | None = Field(description="The difference; people may have seen both.")


class VersionVariety(BaseModel):
    """How varied what a version showed was."""

    version: Version
    coverage: Share = Field(description="Different films, as a share of the catalogue.")
    repeated: Share = Field(description="Share of shown films that the same person had been shown before.")
    fresh: Share = Field(description="Share of shown films that nobody has rated in the data of training.")


class PleasedReport(BaseModel):
    """The figures of some days."""

    first: date = Field(description="The first day, UTC.", examples=["2026-11-16"])
    last: date = Field(description="The last day, UTC.", examples=["2026-11-22"])
    made_at: datetime = Field(description="When it was computed.", examples=["2026-11-23T00:00:07Z"])
    confidence: float = Field(description="How often such an interval holds the true rate.", examples=[0.95])
    figures: list[PleasedFigure] = Field(description="At most the 60 groups of a dimension that were shown most.")
    differences: list[VersionDifference] = Field(description="Other versions against the one that showed most.")
    variety: list[VersionVariety] = Field(description="Of each version; empty where nothing tells what was on screens.")
    says: list[str] = Field(
        description="What counts, in sentences.", examples=[["left out: 2 lists beyond 10 of a person and day"]]
    )


class Pleased(BaseModel):
    """One report, and the days of all."""

    days: list[date] = Field(description="The last days of the reports, the latest first.", examples=[["2026-11-22"]])
    report: PleasedReport | None = Field(description="Null where there is none.")
