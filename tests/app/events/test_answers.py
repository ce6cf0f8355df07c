"""Which answered lists are kept, and what becomes of them while the store is down."""

import pytest
from prometheus_client import CollectorRegistry, Counter

from app.contract.recommendation_id import id_maker
from app.contract.trial import Arm
from app.events import answers as module
from app.events.answers import Answers
from tests.app.events.test_impressions import Store


def kept(share: float) -> tuple[Store, Answers]:
    store, failures = Store(), Counter("failures", "Of a test.", registry=CollectorRegistry())
    return store, Answers(store, failures, share)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [1e-6, 0.01, 0.3, 0.99, 1])
@pytest.mark.parametrize("secret", [None, b"of a trial"])
def test_of_lists_a_share_is_kept_by_the_ends_of_their_ids(share: float, secret: bytes | None) -> None:
    make = id_maker("7", Arm.NONE if secret is None else Arm.CHALLENGER, secret)
    _, answers = kept(share)
    number = 20_000
    found = sum(answers.keeps(make(b"42")) for _ in range(number))
    assert abs(found - share * number) <= 6 * (share * (1 - share) * number) ** 0.5 + 1e-9 + (share < 1e-3)


def test_what_a_store_that_is_down_does_not_take_waits_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 4)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    store, answers = kept(1)
    make = id_maker("7", Arm.NONE)
    store.room = 0
    for number in range(3):
        answers.add(str(number), make(b""), "popular", [10], 1, None)
    answers.flush()
    for number in range(3, 6):
        answers.add(str(number), make(b""), "popular", [10, 20], 2, "home")
    for strange in ("x" * 201, "a\0b"):  # no event can be of such a user
        answers.add(strange, make(b""), "popular", [10], 1, None)
    store.room = 4
    answers.flush()
    assert [each.user_id for each in store.rows] == ["2", "3", "4", "5"]
    assert (store.rows[-1].item_ids, store.rows[-1].rank) == ('["10", "20"]', 2)
