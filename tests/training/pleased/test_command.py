"""`python -m training pleased` of what simulated viewers saw and liked, through a real service and its store."""

import shutil
from collections import Counter
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.events.sqlite_store import SqliteStore
from app.schemas.pleased import PleasedReport
from tests.client import Client, serving
from tests.conftest import MakeSettings
from tests.training.world import Trained
from training.__main__ import main

EXAMINED = 0.8  # of those who look at one rank, how many look at the next


class Books:
    """What viewers with known taste have seen and said, as they themselves count it."""

    def __init__(self) -> None:
        self.shown, self.clicks, self.liked = Counter[int](), Counter[int](), Counter[int]()
        self.lists = self.good = 0

    def look(self, client: Client, user: str, rng: np.random.Generator) -> dict[str, Any]:
        """One viewer looks at a list from the top, gives up somewhere, and likes every third film by its number."""
        listed = client.get(f"/users/{user}/recommendations?k=8").json
        n_seen = min(int(rng.geometric(1 - EXAMINED)), len(listed["items"]))
        items = [each["id"] for each in listed["items"][:n_seen]]
        name = listed["recommendation_id"]
        liked = [item % 3 == 0 and bool(rng.random() < 0.5) for item in items]
        said = [{"user_id": user, "item_id": item, "type": "click", "recommendation_id": name} for item in items[::2]]
        said += [
            {"user_id": user, "item_id": item, "type": "like", "recommendation_id": name}
            for item, is_liked in zip(items, liked, strict=True)
            if is_liked
        ]
        if said:
            client.post("/events", {"events": said})
        self.lists += 1
        self.good += any(liked)
        for rank, is_liked in enumerate(liked, start=1):
            self.shown[rank] += 1
            self.clicks[rank] += rank % 2
            self.liked[rank] += is_liked
        return {
            "recommendation_id": name, "user_id": user, "item_ids": items,
            "source": listed["source"], "placement": "home",
        }  # fmt: skip


def today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


def figures(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "reports" / "pleased" / "figures.csv").set_index(["dimension", "group"])


@pytest.mark.long
def test_the_figures_are_those_of_the_viewers_own_books(
    trained: Trained, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, _ = trained
    root = project.root
    monkeypatch.chdir(root)
    monkeypatch.setenv("EVENTS_URL", "sqlite:///events.db")
    rng, books, day = np.random.default_rng(1), Books(), today()
    settings = make_settings(model_dir=project.served, events_url=f"sqlite:///{root}/events.db")
    with serving(settings) as client:
        viewers = [str(each) for each in pd.read_parquet(project.prepared / "users.parquet")["user_id"][:12]]
        viewers += [f"new-{number}" for number in range(12)]
        seen = [books.look(client, user, rng) for user in viewers for _ in range(3)]
        assert client.post("/impressions", {"impressions": [*seen, *seen]}).status == 202
        for number in range(201):  # a robot: no person looks at so many lists
            name = client.get("/users/robot/recommendations?k=1").json["recommendation_id"]
            client.post(
                "/impressions", {"impressions": [{"recommendation_id": name, "user_id": "robot", "item_ids": [number]}]}
            )
    # The service stores what waits before it ends.
    main(["pleased", "--from", day, "--to", today(), "--publish"])
    found = figures(root)
    everything = found.loc[["all"]].iloc[0]
    assert everything[["people", "lists", "shown"]].tolist() == [24, books.lists, sum(books.shown.values())]
    assert everything[["clicks", "successes"]].tolist() == [sum(books.clicks.values()), sum(books.liked.values())]
    assert everything["good_lists"] == pytest.approx(books.good / books.lists)
    assert everything["good_lists_low"] < everything["good_lists"] < everything["good_lists_high"]
    by_rank = found.loc[["rank"]].reset_index("dimension")
    for counted, name in ((books.shown, "shown"), (books.clicks, "clicks"), (books.liked, "successes")):
        assert {int(str(rank)): number for rank, number in by_rank[name].items() if number} == dict(+counted)
    groups = found.groupby("dimension").groups
    assert [list(groups[each]) for each in ("placement", "source")] == [
        [("placement", "home")],
        [("source", "personalised"), ("source", "popular")],
    ]
    assert found["people"][[("people", "new")]].tolist() == [12]
    assert found.loc[["people"]]["people"].sum() == 24
    with closing(SqliteStore(root / "events.db")) as store:
        published = PleasedReport.model_validate_json(store.report(today()) or "")
    assert published.figures[0].successes == sum(books.liked.values())
    printed = capsys.readouterr().out
    assert "left out: 1 people with more than 200 lists a day" in printed
    assert "<h2>By rank</h2>" in (root / "reports" / "pleased" / "pleased.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (("2026-11-02", "2026-11-01"), "pleased: --to 2026-11-01 is before --from 2026-11-02: turn them round"),
        (("2026-11-01", "2026-11-02"), "pleased: the event store "),
    ],
)
def test_what_cannot_be_computed_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: tuple[str, str], said: str
) -> None:
    shutil.copy("params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENTS_URL", "")
    with pytest.raises(SystemExit, match=said):
        main(["pleased", "--from", days[0], "--to", days[1]])
