"""When to train: an expression of cron, in UTC."""

from datetime import datetime, timedelta, timezone
from itertools import pairwise

from apscheduler.triggers.cron import CronTrigger

from training.errors import ParamsError

LOOKED_AT = 50  # runs, and at least those of
LOOKED_AHEAD = timedelta(days=8)  # which holds the pauses of a week


def parse_schedule(expression: str, variable: str = "RETRAIN_CRON") -> CronTrigger:
    """Read minute, hour, day, month and day of the week; raise ParamsError, naming `variable`, where they are wrong."""
    fields = expression.split()
    example = "write minute, hour, day, month and day of the week, such as: 0 4 * * mon-fri"
    # The library counts from Monday, cron from Sunday.
    if len(fields) == 5 and any(character.isdigit() for character in fields[4].partition("/")[0]):
        raise ParamsError(f"{variable} {expression!r} has a number for the day of the week: name it, from mon to sun")
    try:
        trigger = CronTrigger.from_crontab(expression, timezone=timezone.utc)
    except ValueError as error:
        raise ParamsError(f"{variable} {expression!r} is not a schedule ({error}): {example}") from error
    if trigger.get_next_fire_time(None, _now()) is None:
        raise ParamsError(f"{variable} {expression!r} names a time that never comes: {example}")
    return trigger


def longest_pause(trigger: CronTrigger) -> float:
    """Return the longest time between two of the next runs, in seconds."""
    times = [trigger.get_next_fire_time(None, _now())]
    while len(times) < LOOKED_AT or times[-1] - times[0] < LOOKED_AHEAD:
        times.append(trigger.get_next_fire_time(times[-1], times[-1]))
    pauses: list[float] = [(after - before).total_seconds() for before, after in pairwise(times)]
    return max(pauses)


def _now() -> datetime:
    return datetime.now(timezone.utc)
