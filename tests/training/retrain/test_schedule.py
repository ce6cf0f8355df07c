import pytest

from training.errors import ParamsError
from training.retrain.schedule import longest_pause, parse_schedule

HOUR = 3600


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("*/15 * * * *", 0.25),
        ("0 4 * * *", 24),
        ("30 2 * * mon-fri", 72),
        ("0 5 * * sun", 168),
        ("0 4 * * */2", 48),
        ("0 8-20 * * mon-fri", 60),
        ("0 * * * mon-fri", 49),
    ],
)
def test_the_longest_pause_of_a_schedule_is_known(expression: str, hours: float) -> None:
    assert longest_pause(parse_schedule(expression)) == hours * HOUR


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("0 4 * *", "is not a schedule .*: write minute, hour, day, month and day of the week"),
        ("0 25 * * *", "is not a schedule"),
        ("daily", "is not a schedule"),
        ("0 4 * * 0", "has a number for the day of the week: name it, from mon to sun"),
        ("0 4 * * 1-5", "has a number for the day of the week"),
        ("0 4 30 2 *", "names a time that never comes"),
    ],
)
def test_an_expression_that_would_not_run_as_meant_is_refused(expression: str, sentence: str) -> None:
    with pytest.raises(ParamsError, match=f"RETRAIN_CRON .*{sentence}"):
        parse_schedule(expression)
