import re
import time

import pytest

from app.contract.recommendation_id import MAX_VERSION, id_maker, read_id
from app.contract.trial import Arm


@pytest.mark.parametrize("arm", Arm)
@pytest.mark.parametrize("version", ["3", "12", "123", "1398ad768003", "9" * MAX_VERSION])
def test_an_id_says_version_arm_time_and_for_whom(version: str, arm: Arm) -> None:
    before = int(time.time())
    text = id_maker(version, arm)("日本".encode()).decode()
    found = read_id(text)
    assert found is not None
    assert (found.version, found.arm) == (version, arm)
    assert before <= found.time <= time.time()
    assert found.is_for("日本")
    assert not found.is_for("日")
    assert re.fullmatch(r"[A-Za-z0-9_-]{24,64}", text)


def test_each_list_has_an_id_of_its_own() -> None:
    make = id_maker("3", Arm.NONE)
    assert len({make(b"42") for _ in range(10_000)}) == 10_000


def test_a_version_that_would_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="has more than 28 bytes, too many for a recommendation id"):
        id_maker("9" * (MAX_VERSION + 1), Arm.NONE)


@pytest.mark.parametrize(
    "text",
    [
        "", "A", "AQEB", "x" * 64, "AQEBZ0Y1", "ä" * 24, "~" * 24, "." * 24, "_" * 24, "-" * 28, "A" * 63, "A" * 20,
        "Axz_" + "A" * 20, "AwEz" + "A" * 20, "AAH_" + "A" * 20, "AAUz" + "A" * 20, "AAEzAAAA" + "A" * 20,
    ],
)  # fmt: skip
def test_a_text_that_is_no_id_says_nothing(text: str) -> None:
    assert read_id(text) is None


def test_an_id_that_was_cut_or_changed_is_none_or_says_something_else() -> None:
    text = id_maker("3", Arm.CHALLENGER)(b"42").decode()
    found = read_id(text)
    for cut in range(len(text)):
        assert read_id(text[:cut]) is None
    assert read_id(text[:-8] + "AAAAAAAA") == found  # these are random bits
