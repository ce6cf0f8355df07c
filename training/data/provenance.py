"""Where the prepared data comes from: what the service must know about a model's data."""

from dataclasses import dataclass, replace
from pathlib import Path

from app.contract.artifact import Artifact, LearnedEvents
from app.contract.events import Described, EventTypes
from training.files import read_json, write_json

FILE = "provenance.json"


@dataclass(frozen=True)
class Provenance:
    """What events and ratings mean, and the events that are among the data.

    `min_rating` is the least stars of a positive, None where every rating is one; `event_types` are the further types.
    """

    min_rating: float | None
    events: LearnedEvents | None
    event_types: Described

    @property
    def types(self) -> EventTypes:
        """What events mean."""
        return EventTypes(self.event_types, self.min_rating)

    def described(self, artifact: Artifact) -> Artifact:
        """The artifact with what the service has to know of its data."""
        return replace(artifact, **vars(self))


def write_provenance(prepared: Path, provenance: Provenance) -> None:
    """Write it beside the prepared data."""
    events = provenance.events
    content = {"min_rating": provenance.min_rating, "events": events and events._asdict()}
    write_json(prepared / FILE, {**content, "event_types": dict(provenance.event_types)})


def read_provenance(prepared: Path) -> Provenance:
    """Read it; raise DataError where it is missing or damaged."""
    content = read_json(prepared / FILE, "run: dvc repro --force prepare")
    events = LearnedEvents(**content["events"]) if content["events"] else None
    return Provenance(content["min_rating"], events, content["event_types"])
