"""Lists of placements are kept for a minute: made once, and again by other rules or for another key."""

import pytest

from app.contract.item_filter import ItemFilter
from app.contract.placed import Placed
from app.contract.placement import Placement
from app.contract.recommender import Recommender
from app.contract.rules import Rules
from app.model import kept
from app.model.placed_lists import PlacedLists
from tests.artifacts import make_artifact

RECOMMENDER = Recommender(make_artifact())
ITEMS = ItemFilter(RECOMMENDER.artifact.catalogue.columns, RECOMMENDER.n_items)


def rules(lists: PlacedLists, placement: Placement) -> Rules:
    return lists.rules("home", placement, ITEMS, RECOMMENDER.item_row)


@pytest.mark.parametrize(("seconds", "times"), [(60, 1), (0, 2)])
def test_a_list_is_made_again_once_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, seconds: float, times: int
) -> None:
    monkeypatch.setattr(kept, "SECONDS", seconds)
    lists, made, home = PlacedLists(), list[Placed](), Placement.of({})

    def make() -> Placed:
        made.append(Placed(RECOMMENDER.popular(3), {}))
        return made[-1]

    for _ in range(2):
        assert lists.list("key", rules(lists, home), make) is made[-1]
    assert len(made) == times
    for key, placement in [("other", home), ("key", Placement.of({"k": 3}))]:
        assert lists.list(key, rules(lists, placement), make) is made[-1]
    assert len(made) == times + 2
