"""Computes the figures of some days and writes them: a table, a CSV and a page."""

from dataclasses import asdict
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd

from training.data.dataset import load_dataset
from training.data.events.snapshot import snapshot
from training.errors import DataError, ParamsError
from training.files import replacing
from training.params.whole import Params
from training.pleased.figures import Figure, Known, figures, overall, varieties
from training.pleased.page import lay_out, table
from training.pleased.shown import Shown, read_shown
from training.project import Project
from training.report.html import to_html
from training.trials.records import kept_events

SEGMENTS = np.array(["few", "medium", "many"])
FOLDER = "pleased"


def please(project: Project, params: Params, first: date, last: date) -> str:
    """Write reports/pleased; return what to print. Raises DataError where the store or data/prepared can't be read."""
    shown, confidence = shown_between(project, params, first, last), params.registration.gate.confidence
    if shown.items.empty and shown.lists.empty:
        raise DataError(f"nothing was shown from {first} to {last}: send impressions, or choose other days")
    known = _known(project, params)
    found, said = figures(shown, known, confidence), _sentences(shown)
    page = lay_out(found, varieties(shown, known) if len(shown.items) else [], said, first, last, confidence)
    folder = project.reports / FOLDER
    with replacing(folder / "pleased.html") as partial:
        partial.write_text(to_html(page), encoding="utf-8")
    with replacing(folder / "figures.csv") as partial:
        pd.DataFrame(map(_row, found)).to_csv(partial, index=False)
    where = (folder / "pleased.html").relative_to(project.root)
    return "\n".join([table(found), *(f"pleased: {each}" for each in said), f"pleased: {where}"])


def yesterday(project: Project, params: Params) -> Figure | None:
    """Compute the figure of all lists of the last whole day (UTC); None where nothing was shown."""
    day = datetime.now(timezone.utc).date() - timedelta(days=1)
    return overall(shown_between(project, params, day, day), params.registration.gate.confidence)


def shown_between(project: Project, params: Params, first: date, last: date) -> Shown:
    """Read what was shown from a day to another, both included."""
    if last < first:
        raise ParamsError(f"--to {last} is before --from {first}: turn them round")
    with snapshot(kept_events(project.root)) as store:
        return read_shown(store, first, last, params.registration.trial.success, params.event_types)


def _known(project: Project, params: Params) -> Known:
    data = load_dataset(project.prepared)
    rated = data.interactions(*data.splits)
    of_user = np.bincount(rated.users, minlength=data.n_users)
    segments = SEGMENTS[np.digitize(of_user, params.evaluate.segments)]
    of_item = np.bincount(rated.items, minlength=data.n_items)
    items = frozenset(map(str, data.item_ids[of_item > 0].tolist()))
    return Known(dict(zip(map(str, data.user_ids.tolist()), segments.tolist(), strict=True)), data.n_items, items)


def _sentences(shown: Shown) -> list[str]:
    if shown.items.empty:
        return [
            "nothing tells what was on screens: the lists that were answered in trials count, whoever looked at them"
        ]
    return [f"left out: {number:,} {what}" for what, number in shown.left_out.items()]


def _row(figure: Figure) -> dict[str, object]:
    row = asdict(figure)
    for name in ("click_rate", "success_rate", "good_lists"):
        interval = row.pop(name)
        row |= {name: interval["mean"], f"{name}_low": interval["low"], f"{name}_high": interval["high"]}
    return row
