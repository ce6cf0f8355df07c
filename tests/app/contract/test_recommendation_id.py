import re
import time

import pytest

from app.contract.recommendation_id import MAX_VERSION, id_maker, read_id
from app.contract.trial import Arm

SECRET = b"nobody knows it"


@pytest.mark.parametrize("arm", Arm)
@pytest.mark.parametrize("version", ["3", "12", "123", "1398ad768003", "9" * MAX_VERSION])
@pytest.mark.parametrize(("secret", "placed"), [(SECRET, Arm.PRODUCTION), (SECRET, Arm.CHALLENGER), (None, Arm.NONE)])
def test_an_id_says_version_arms_and_time(version: str, arm: Arm, secret: bytes | None, placed: Arm) -> None:
    before = int(time.time())
    text = id_maker(version, arm, secret, placed)("日本".encode()).decode()
    found = read_id(text)
    assert found is not None
    assert (found.version, found.arm, found.placed) == (version, arm, placed)
    assert before <= found.time <= time.time()
    assert re.fullmatch(r"[A-Za-z0-9_-]{24,64}", text)


def test_the_id_of_a_trial_s_list_is_for_one_user_and_nobody_makes_one_without_the_secret() -> None:
    text = id_maker("3", Arm.CHALLENGER, SECRET)("日本".encode()).decode()
    ids = [text, *(id_maker("3", Arm.CHALLENGER, secret)("日本".encode()).decode() for secret in (b"a guess", None))]
    found, *forged = [found for each in ids if (found := read_id(each))]
    assert (found.is_for("日本", SECRET), found.is_for("日", SECRET)) == (True, False)
    assert len(forged) == 2
    assert not any(each.is_for("日本", SECRET) for each in forged)
    for place in range(len(text)):  # a bit of the version, the time, the random bits or the seal
        changed = read_id(text[:place] + ("B" if text[place] == "A" else "A") + text[place + 1 :])
        assert changed is None or not changed.is_for("日本", SECRET)


@pytest.mark.parametrize("secret", [SECRET, None])
def test_each_list_has_an_id_of_its_own(secret: bytes | None) -> None:
    make = id_maker("3", Arm.NONE, secret)
    # Of one user in one second, two lists in four billion share theirs.
    users = [b"%d" % number for number in range(10_000)] + [b"42"] * 100
    assert len({make(user) for user in users}) == len(users)


def test_a_version_that_would_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="has more than 28 bytes, too many for a recommendation id"):
        id_maker("9" * (MAX_VERSION + 1), Arm.NONE)


@pytest.mark.parametrize(
    "text",
    [
        "", "A", "AQEB", "x" * 64, "AQEBZ0Y1", "ä" * 24, "~" * 24, "." * 24, "_" * 24, "-" * 28, "A" * 63, "A" * 20,
        "Axz_" + "A" * 20, "CQEz" + "A" * 20, "AAH_" + "A" * 20, "AAUz" + "A" * 20, "AAEzAAAA" + "A" * 20,
    ],
)  # fmt: skip
def test_a_text_that_is_no_id_says_nothing(text: str) -> None:
    assert read_id(text) is None


def test_an_id_that_was_cut_is_none() -> None:
    text = id_maker("3", Arm.CHALLENGER)(b"42").decode()
    for cut in range(len(text)):
        assert read_id(text[:cut]) is None
