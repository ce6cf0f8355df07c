"""The events among the data, for the checks."""

from dataclasses import dataclass

import pandas as pd

from app.contract.events import Meaning
from training.data.dataset import POSITIVE, Dataset
from training.data.events.files import read_events
from training.data.events.merging import meanings
from training.data.events.sifting import sift
from training.data.provenance import read_provenance
from training.project import Project


@dataclass(frozen=True)
class EventLog:
    """The events of a store up to a position, by position: those that count, with a column `positive`."""

    rows: pd.DataFrame
    store: str
    until: int


def read_event_log(project: Project, dataset: Dataset) -> EventLog | None:
    """Read the events that `prepare` has merged with the ratings; None if there are none."""
    provenance, recorded = read_provenance(project.prepared), read_events(project.events)
    if provenance.events is None or recorded is None:
        return None
    rows = sift(recorded.rows, dataset.user_ids.dtype.kind == "i", dataset.item_ids).rows
    positive = meanings(rows, provenance.types) == Meaning.LIKED
    return EventLog(rows.assign(**{POSITIVE: positive}), *provenance.events)
