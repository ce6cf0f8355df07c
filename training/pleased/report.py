"""What is said of some days: figures, and what counts for them."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timezone

import pandas as pd

from training.metrics.bootstrap import Interval
from training.pleased.figures import Difference, Figure, Variety, differences, figures, varieties
from training.pleased.totals import Totals

MOST_GROUPS = 60  # of a dimension that are published: names come from clients


@dataclass(frozen=True)
class Report:
    """The figures of the days from `first` to `last`; `says` are sentences about what counts."""

    first: date
    last: date
    confidence: float
    figures: list[Figure]
    differences: list[Difference]
    variety: list[Variety]
    says: list[str]

    @classmethod
    def of(cls, totals: Totals, n_items: int, confidence: float, first: date, last: date) -> "Report":
        """Compute it of sums over these days and of all dimensions; something was shown."""
        found, compared = figures(totals, confidence), differences(totals, confidence)
        return cls(first, last, confidence, found, compared, varieties(totals, n_items), _sentences(totals))

    def to_csv_rows(self) -> pd.DataFrame:
        """The figures, one in a row."""
        return pd.DataFrame(map(_row, self.figures))

    def to_json(self) -> str:
        """The report as the service shows it; intervals that are not known are null."""
        content = asdict(self) | {"first": self.first.isoformat(), "last": self.last.isoformat()}
        content["figures"] = [asdict(each) for each in _most_shown(self.figures)]
        content["made_at"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return json.dumps(_with_ends(content), ensure_ascii=False, allow_nan=False)


def _most_shown(found: Iterable[Figure]) -> list[Figure]:
    ranked, kept = sorted(found, key=lambda each: -each.shown), set[tuple[str, str]]()
    for dimension in {each.dimension for each in ranked}:
        groups = [(dimension, each.group) for each in ranked if each.dimension == dimension]
        kept |= set(groups[:MOST_GROUPS])
    return [each for each in found if (each.dimension, each.group) in kept]


def _with_ends(content: object) -> object:
    """Name the middle of intervals `value`, and leave out those that are not known."""
    if isinstance(content, list):
        return [_with_ends(each) for each in content]
    if not isinstance(content, dict):
        return content
    if content.keys() == {"mean", "low", "high"}:
        ends = {"value": content["mean"], "low": content["low"], "high": content["high"]}
        return None if any(map(math.isnan, ends.values())) else ends
    return {name: _with_ends(each) for name, each in content.items()}


def _sentences(totals: Totals) -> list[str]:
    on_screens = ", ".join(sorted(totals.on_screens))
    said = [f"what was on screens counts: {on_screens}"] if on_screens and totals.answered else []
    for day, share, sources in totals.answered:
        said.append(f"answered lists count, whoever looked at them: {day}, {sources}, of which {share:.3g} are kept")
    return said + [f"left out: {number:,} {what}" for what, number in totals.left_out.items()]


def _row(figure: Figure) -> dict[str, object]:
    row = asdict(figure)
    for name in ("click_rate", "success_rate", "good_lists"):
        interval = Interval(**row.pop(name))
        row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row
