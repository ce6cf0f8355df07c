"""What the event store holds about a trial: who was shown lists of which arm, and what was said since it began."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, column, func, select, table

from app.contract.store_address import StoreAddress
from app.contract.trial import Split
from training.data.events.snapshot import VARIABLE, Snapshot, seconds, store_address
from training.errors import DataError

DAY = 86_400
# The columns of the exposures and of the events, as below.
DAY_SHOWN, USER, EXPERIMENT, ARM, LISTS = "day", "user_id", "experiment", "arm", "lists"

_EXPOSURE = table("exposure", *map(column, ("id", DAY_SHOWN, USER, EXPERIMENT, ARM, LISTS)))
_COLUMNS = ("position", USER, "item_id", "type", "value", "occurred_at", "received_at", "recommendation_id")
_EVENT = table("event", *map(column, _COLUMNS))


@dataclass(frozen=True)
class Records:
    """The exposures and events of one experiment, that is, of a trial with its present share; "" where there is none.

    Exposures: user_id, arm, day (days since 1970, UTC), lists. Events, by position: user_id, item_id, type, value
    (stars of a rating), occurred_at, received_at (seconds since 1970), recommendation_id. `mixed` says that
    replicas split users by different shares at the same time. `secrets` are those of trials of placements: they seal
    a list that is in a trial of versions, too.
    """

    experiment: str
    exposures: pd.DataFrame
    events: pd.DataFrame
    mixed: bool
    secrets: tuple[bytes, ...] = ()


def kept_events(home: Path) -> StoreAddress:
    """Find the service's store, as EVENTS_URL says; raises DataError where there is none."""
    address = store_address(home)
    if address is None:
        raise DataError(f"{VARIABLE} is off: set it to the service's store")
    if missing := address.missing_file:
        raise DataError(f"the event store {missing} doesn't exist: correct {VARIABLE}, or start the service with it")
    return address


def read_records(store: Snapshot, trial: Split, secrets: tuple[bytes, ...] = ()) -> Records:
    """Read the records of a trial; `secrets` as in `Records`.

    The service may give another share than the trial's tag (TRIAL_SHARE), and a share may be raised. Each is an
    experiment of its own; the latest counts, and `mixed` tells of an earlier one that goes on beside it.
    """
    connection, events = store.connection, events_since(store, trial.since)
    experiments = _experiments(connection, trial.salt)
    if experiments.empty:
        return Records("", _exposures(connection, ""), events, mixed=False, secrets=secrets)
    present = str(experiments[EXPERIMENT].iloc[-1])
    mixed = bool((experiments["last"].iloc[:-1] > experiments["first"].iloc[-1]).any())
    return Records(present, _exposures(connection, present), events, mixed, secrets)


def share_of(experiment: str) -> float:
    """Return the share that the name of an experiment ends with."""
    return float(experiment.rpartition("@")[2])


def _experiments(connection: Connection, salt: str) -> pd.DataFrame:
    """The experiments with this salt, the latest last, with the first and last day of each."""
    day = _EXPOSURE.c[DAY_SHOWN]
    query = (
        select(_EXPOSURE.c[EXPERIMENT], func.min(day), func.max(day), func.max(_EXPOSURE.c.id))
        .where(_EXPOSURE.c[EXPERIMENT].startswith(f"{salt}@", autoescape=True))
        .group_by(_EXPOSURE.c[EXPERIMENT])
    )
    found = pd.DataFrame(connection.execute(query).all(), columns=[EXPERIMENT, "first", "last", "id"])
    return found.sort_values("id").astype({"first": str, "last": str})


def _exposures(connection: Connection, experiment: str) -> pd.DataFrame:
    keys = [_EXPOSURE.c[name] for name in (USER, ARM, DAY_SHOWN)]
    query = select(*keys, func.sum(_EXPOSURE.c[LISTS])).where(_EXPOSURE.c[EXPERIMENT] == experiment).group_by(*keys)
    found = pd.DataFrame(connection.execute(query).all(), columns=[USER, ARM, DAY_SHOWN, LISTS])
    days = pd.to_datetime(found[DAY_SHOWN]).to_numpy(dtype="datetime64[D]").astype("int64")
    return found.assign(**{DAY_SHOWN: days}).astype({USER: object, ARM: "int64", LISTS: "int64"})


def events_since(store: Snapshot, since: float) -> pd.DataFrame:
    """Read the events that arrived since a time, by position, as in `Records`."""
    query = select(_EVENT).where(_EVENT.c.received_at >= store.time(since)).order_by(_EVENT.c.position)
    found = pd.DataFrame(store.connection.execute(query).all(), columns=list(_COLUMNS))
    times = {name: found[name].map(seconds).astype(float) for name in ("occurred_at", "received_at")}
    return found.assign(**times).astype({USER: object, "value": "float64"})
