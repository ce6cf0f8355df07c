"""An editor sees what people would get by a placement before it is saved."""

from typing import Any

import pytest

from tests.app.routes.test_item_changes import Editing
from tests.app.routes.test_item_changes import editing as editing
from tests.app.routes.test_item_changes import url as url

HORROR = {"boosts": [{"filter": "genres:Horror", "by": 3}], "k": 2}


def preview(editing: Editing, **asked: Any) -> dict[str, Any]:
    answer = editing.send("POST", "/placements/preview", asked)
    assert answer.status == 200, answer.body
    content: dict[str, Any] = answer.json
    return content


def test_a_preview_shows_what_a_placement_would_do_and_saves_and_counts_nothing(editing: Editing) -> None:
    assert len(preview(editing, user_ids=[1])["answers"][0]["items"]) == 6
    before = preview(editing, placement={"k": 2}, user_ids=[1, "nobody"])
    assert [item["id"] for item in before["answers"][0]["items"]] == [30, 40]
    assert before["kept"] == [1.0, None]
    pin = [{"item_id": 9000, "rank": 1}]
    after = preview(editing, placement={**HORROR, "pins": pin}, user_ids=[1, "nobody"])
    assert [[item["id"] for item in each["items"]] for each in after["answers"]] == [[40, 60], [40, 60]]
    assert [each["source"] for each in after["answers"]] == ["personalised", "popular"]
    # The scores of 30, 40 and 60 are 6, 5 and 3, and the mean of all is 4.5.
    assert after["kept"] == [0.0, None]
    assert [each["field"] for each in after["warnings"]] == ["pins"]
    assert [each["user_id"] for each in preview(editing, placement=HORROR, part=0)["answers"]] == ["1"]
    assert editing.send("GET", "/placements").json == {"placements": []}
    assert editing.client.get("/status").json["recent_lists"]["lists"] == 0
    refused = editing.send("POST", "/placements/preview", {"placement": {"filter": "nothing:1"}})
    assert (refused.status, refused.json["error"]["field"]) == (422, "filter")
    stranger = editing.send("POST", "/placements/preview", {}, **{"X-API-Key": "wrong"})
    assert stranger.status == 401


@pytest.mark.long
@pytest.mark.parametrize(("part", "status"), [(19, 200), (20, 422), (-1, 422)])
def test_a_part_of_the_sample_may_be_empty_and_is_one_of_20(editing: Editing, part: int, status: int) -> None:
    assert editing.send("POST", "/placements/preview", {"part": part}).status == status
