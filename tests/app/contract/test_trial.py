import pytest

from app.contract.trial import Arm, Trial, read_trial

TRIAL = Trial("7", "5", "movies:7", 0.3, 1_700_000_000)
USERS = [str(number) for number in range(20_000)]


def test_the_share_of_users_gets_the_challenger() -> None:
    assert sum(TRIAL.arm(user) for user in USERS) / len(USERS) == pytest.approx(0.3, abs=0.015)


def test_an_arm_is_the_same_on_every_machine_and_in_every_release() -> None:
    # The first byte of SHA-256("movies:7:" + id) is 0x23, 0x42, 0x54, 0x82, 0xda; the share ends in 0x4c.
    assert [TRIAL.arm(user) for user in ("7", "100", "113", "ann", "日本")] == [1, 1, 0, 0, 0]


def test_a_higher_share_moves_users_into_the_challenger_only() -> None:
    more = Trial("7", "5", "movies:7", 0.5, 0)
    assert {user for user in USERS if TRIAL.arm(user)} < {user for user in USERS if more.arm(user)}


def test_an_arm_s_number_stays_as_it_is_in_stored_exposures_and_ids() -> None:
    assert {arm.name: int(arm) for arm in Arm} == {"PRODUCTION": 0, "CHALLENGER": 1, "NONE": 2}


def test_another_salt_makes_other_groups() -> None:
    other = Trial("8", "5", "movies:8", 0.3, 0)
    both = sum(TRIAL.arm(user) == other.arm(user) == Arm.CHALLENGER for user in USERS)
    assert both / len(USERS) == pytest.approx(0.3 * 0.3, abs=0.01)


def test_another_share_or_salt_is_another_experiment() -> None:
    trials = [TRIAL, Trial("7", "5", "movies:7", 0.5, 0), Trial("8", "5", "movies:8", 0.3, 0)]
    assert [trial.experiment for trial in trials] == ["movies:7@0.3", "movies:7@0.5", "movies:8@0.3"]


def test_tags_tell_of_a_trial() -> None:
    assert read_trial("7", {**TRIAL.tags(), "family": "ease"}) == TRIAL


@pytest.mark.parametrize("tags", [{}, {"trial": "won"}, {"trial": "lost", **{"trial_share": "nonsense"}}])
def test_without_the_tag_that_it_runs_there_is_no_trial(tags: dict[str, str]) -> None:
    assert read_trial("7", tags) is None


@pytest.mark.parametrize(
    ("tag", "value", "problem"),
    [
        ("trial_share", "half", "Version 7 is on trial, but trial_share or trial_since is not a number"),
        ("trial_since", "yesterday", "Version 7 is on trial, but trial_share or trial_since is not a number"),
        ("trial_share", "0", "trial_share is 0, or trial_salt is empty: the share must be above 0 and below 1"),
        ("trial_share", "nan", "the share must be above 0 and below 1"),
        ("trial_share", "1", "the share must be above 0 and below 1"),
        ("trial_salt", "", "trial_salt is empty: .* and the salt a text"),
    ],
)
def test_a_spoilt_tag_is_refused_with_its_value(tag: str, value: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_trial("7", {**TRIAL.tags(), tag: value})


@pytest.mark.parametrize("tag", ["trial_share", "trial_since", "trial_salt", "trial_against"])
def test_a_missing_tag_is_named(tag: str) -> None:
    tags = TRIAL.tags()
    del tags[tag]
    with pytest.raises(ValueError, match=f"Version 7 is on trial, but lacks the tag '{tag}'"):
        read_trial("7", tags)
