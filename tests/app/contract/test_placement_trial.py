import pytest

from app.contract.placement import Placement
from app.contract.placement_trial import Declared, problem, trials
from app.contract.trial import Arm

SHARE = 0.3
ON_TRIAL: dict[str, object] = {"trial": {"against": "home-b", "share": SHARE}}
USERS = [str(number) for number in range(20_000)]


def declared(**placements: dict[str, object]) -> dict[str, Declared]:
    """Placements, changed one after the other, whose changes have their names as ids."""
    return {
        name.replace("_", "-"): Declared(Placement.of(content), since, f"change of {name}")
        for since, (name, content) in enumerate(placements.items())
    }


def test_a_trial_divides_people_by_a_secret_of_both_changes_and_begins_with_the_later_one() -> None:
    found = trials(declared(home=ON_TRIAL, home_b={"k": 3}, mail={}))
    assert found.keys() == {"home"}
    trial = found["home"]
    assert sum(trial.arm(user) for user in USERS) / len(USERS) == pytest.approx(SHARE, abs=0.015)
    assert (trial.rules_of(Arm.PRODUCTION), trial.rules_of(Arm.CHALLENGER)) == ("home", "home-b")
    assert trial.since == 1
    changed = declared(home=ON_TRIAL, home_b={"k": 3})
    changed["home-b"] = changed["home-b"]._replace(change="another", since=5)
    again = trials(changed)["home"]
    both = sum(trial.arm(user) == again.arm(user) == Arm.CHALLENGER for user in USERS)
    assert both / len(USERS) == pytest.approx(SHARE**2, abs=0.01)
    assert again.since == 5
    assert len({trial.secret, again.secret}) == len({trial.experiment, again.experiment}) == 2


@pytest.mark.parametrize(
    ("name", "others", "why"),
    [
        ("home-b", {"home_b": ON_TRIAL}, "is the placement itself"),
        ("home", {"home": ON_TRIAL}, "there is no such placement"),
        ("home", {"home": ON_TRIAL, "home_b": {"trial": {"against": "mail", "share": 0.5}}, "mail": {}}, "of its own"),
        ("home", {"home": ON_TRIAL, "home_b": {"overridable": ["k"]}}, "make overridable the same"),
        (
            "home",
            {"home": ON_TRIAL, "home_b": {}, "mail": {"trial": {"against": "home", "share": 0.5}}},
            "'home' is what 'mail' is compared with",
        ),
    ],
)
def test_a_trial_that_makes_no_sense_does_not_run(name: str, others: dict[str, dict[str, object]], why: str) -> None:
    found = declared(**others)
    assert why in problem(name, {each: declared.placement for each, declared in found.items()})
    assert name not in trials(found)
