"""Looks at some days and writes what it sees: a table, a CSV, a page, and what the service's own page shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone

import numpy as np
from sqlalchemy import text

from app.contract.store_address import StoreAddress
from training.data.dataset import load_dataset
from training.data.events.snapshot import Snapshot, snapshot
from training.errors import DataError, ParamsError
from training.files import replacing
from training.params.whole import Params
from training.pleased.figures import Figure, figures
from training.pleased.metrics import SHOWN_BY
from training.pleased.page import lay_out, table
from training.pleased.report import Report
from training.pleased.shown import Shown, read_days, read_shown
from training.pleased.totals import Known, Totals
from training.project import Project
from training.report.html import to_html
from training.trials.records import kept_events

SEGMENTS = np.array(["few", "medium", "many"])
FOLDER = "pleased"
WEEK = 7
PUBLISHED = "SELECT count(*) FROM pleased WHERE last = :last"
PUBLISH = """
INSERT INTO pleased (last, body) VALUES (:last, :body) ON CONFLICT (last) DO UPDATE SET body = excluded.body
"""


def please(project: Project, params: Params, first: date, last: date, *, publish: bool) -> str:
    """Write reports/pleased; return what to print. Raises DataError where the store or data/prepared can't be read."""
    report = report_between(project, params, first, last)
    if report is None:
        raise DataError(
            f"nothing tells what was shown from {first} to {last}: send impressions, set the service's ANSWERED_SHARE, "
            "or choose other days"
        )
    folder = project.reports / FOLDER
    with replacing(folder / "pleased.html") as partial:
        partial.write_text(to_html(lay_out(report)), encoding="utf-8")
    with replacing(folder / "figures.csv") as partial:
        report.to_csv_rows().to_csv(partial, index=False)
    if publish:
        publish_report(kept_events(project.root), report)
    where = (folder / "pleased.html").relative_to(project.root)
    return "\n".join([table(report.figures), *(f"pleased: {each}" for each in report.says), f"pleased: {where}"])


def report_between(project: Project, params: Params, first: date, last: date) -> Report | None:
    """Compute the report of the days from one to another, both included; None where nothing was shown."""
    with _store(project, first, last) as store:
        days = read_days(store, first, last, params.registration.trial.success, params.event_types)
        known = _known(project, params)
        totals = Totals.over(days, known)
    return Report.of(totals, known.n_items, params.registration.gate.confidence, first, last) if totals.of else None


def last_week() -> tuple[date, date]:
    """The first and the last of the seven whole days (UTC) before today."""
    today = datetime.now(timezone.utc).date()
    return today - timedelta(WEEK), today - timedelta(1)


def publish_last_week(project: Project, params: Params) -> None:
    """Publish the last week's report, once a day, and where there is data of training to tell people apart."""
    first, last = last_week()
    if not project.prepared.is_dir() or _is_published(project, last):
        return
    if (report := report_between(project, params, first, last)) is not None:
        publish_report(kept_events(project.root), report)


def yesterday(project: Project, params: Params) -> list[Figure]:
    """Compute what Prometheus shows of the last whole day (UTC)."""
    _, day = last_week()
    shown, nothing = shown_between(project, params, day, day), Known({}, 0, frozenset())
    return figures(Totals.over([shown], nothing, SHOWN_BY), params.registration.gate.confidence)


def shown_between(project: Project, params: Params, first: date, last: date) -> Shown:
    """Read what was shown from a day to another, both included."""
    with _store(project, first, last) as store:
        return read_shown(store, first, last, params.registration.trial.success, params.event_types)


@contextmanager
def _store(project: Project, first: date, last: date) -> Iterator[Snapshot]:
    """Open the store to read these days; raises ParamsError for days that are none."""
    if last < first:
        raise ParamsError(f"--to {last} is before --from {first}: turn them round")
    with snapshot(kept_events(project.root)) as store:
        yield store


def _is_published(project: Project, last: date) -> bool:
    with snapshot(kept_events(project.root)) as store:
        return bool(store.connection.execute(text(PUBLISHED), {"last": last.isoformat()}).scalar_one())


def publish_report(address: StoreAddress, report: Report) -> None:
    """Put a report where the service's page finds it, in place of a former one of the days until the same."""
    with snapshot(address) as store:
        store.write(PUBLISH, {"last": report.last.isoformat(), "body": report.to_json()})


def _known(project: Project, params: Params) -> Known:
    data = load_dataset(project.prepared)
    rated = data.interactions(*data.splits)
    of_user = np.bincount(rated.users, minlength=data.n_users)
    segments = SEGMENTS[np.digitize(of_user, params.evaluate.segments)]
    of_item = np.bincount(rated.items, minlength=data.n_items)
    items = frozenset(map(str, data.item_ids[of_item > 0].tolist()))
    return Known(dict(zip(map(str, data.user_ids.tolist()), segments.tolist(), strict=True)), data.n_items, items)
