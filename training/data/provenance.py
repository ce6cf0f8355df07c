"""Where the prepared data comes from, as far as a model's reader has to know."""

from dataclasses import dataclass
from pathlib import Path

from app.contract.artifact import Events
from training.files import read_json, write_json

FILE = "provenance.json"


@dataclass(frozen=True)
class Provenance:
    """The least stars of a positive, None where every rating is one, and the events that are among the data."""

    min_rating: float | None
    events: Events | None


def write_provenance(prepared: Path, provenance: Provenance) -> None:
    """Write it beside the prepared data."""
    events = provenance.events
    write_json(prepared / FILE, {"min_rating": provenance.min_rating, "events": events and events._asdict()})


def read_provenance(prepared: Path) -> Provenance:
    """Read it; raise DataError where it is missing or damaged."""
    content = read_json(prepared / FILE, "run: dvc repro --force prepare")
    return Provenance(content["min_rating"], Events(**content["events"]) if content["events"] else None)
