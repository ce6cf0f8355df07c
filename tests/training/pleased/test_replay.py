"""`python -m training replay` of what viewers with known taste were shown by lot, through a real store and registry."""

import json
import time
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import numpy as np
import pytest

from app.contract.artifact_directory import load_artifact
from app.contract.events import Event
from app.contract.recommendation_id import id_maker
from app.contract.recommender import Recommender
from app.contract.trial import Arm
from app.events.rows import Impression
from app.events.sqlite_store import SqliteStore
from tests.training.world import GROUPS, Trained
from training.__main__ import main
from training.pleased.explored import choices, explored
from training.pleased.looking import shown_between
from training.pleased.off_policy import replay
from training.tracking.connection import connect

SHARE, AMONG, EACH, STRANGERS = 0.6, 4, 9, 120
OF_GROUP, OF_OTHERS = 0.5, 0.1  # how many like a film of their own group, and another


class Viewers:
    """People who like films of their own group; they are shown one of five films, mostly the first."""

    def __init__(self, version: Recommender, seed: int) -> None:
        self._version, self._rng = version, np.random.default_rng(seed)
        self._make_id = id_maker("1", Arm.NONE)
        known = [str(each) for each in version.artifact.user_ids.tolist()]
        self.users = known + [f"new-{number}" for number in range(STRANGERS)]
        self.brings: list[float] = []  # of each list, what the version's own choice brings on average

    def look(self, store: SqliteStore) -> None:
        now = time.time()
        day, shown, said = datetime.fromtimestamp(now, timezone.utc).date().isoformat(), [], []
        for number, user in enumerate(self.users):
            for _ in range(EACH):
                among = [str(each) for each in self._rng.choice(np.arange(1, 81), AMONG + 1, replace=False)]
                is_drawn = self._rng.random() < SHARE
                item = among[int(self._rng.integers(1, AMONG + 1))] if is_drawn else among[0]
                odds, name = SHARE / AMONG if is_drawn else 1 - SHARE, self._make_id(b"").decode()
                shown.append(Impression(day, name, item, user, 3, odds=odds, among=json.dumps(among)))
                self.brings.append(self._taste(number, self._choice(user, among)))
                if self._rng.random() < self._taste(number, item):
                    said.append(Event(str(uuid4()), user, item, "like", None, now, name))
        store.add(shown)
        store.append(said, now)

    def _taste(self, number: int, item: str) -> float:
        return OF_GROUP if (int(item) - 1) % GROUPS == number % GROUPS else OF_OTHERS

    def _choice(self, user: str, among: list[str]) -> str:
        row, artifact = self._version.user_row(user), self._version.artifact
        rows = [self._version.item_row(item) for item in among]
        scores = artifact.item_popularity if row is None else (
            artifact.item_embeddings @ artifact.user_embeddings[row] + artifact.item_biases
        )  # fmt: skip
        return among[max(range(len(among)), key=lambda place: (float(scores[rows[place]]), -(rows[place] or 0)))]


def today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


@pytest.mark.long
def test_a_version_is_estimated_from_lists_by_lot_and_refused_where_these_do_not_tell(
    registered: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, params = registered
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("EVENTS_URL", "sqlite:///events.db")
    version = Recommender(load_artifact(project.served))
    store, viewers, since = SqliteStore(project.root / "events.db"), Viewers(version, 1), int(time.time())
    days = ["--from", (datetime.now(timezone.utc) - timedelta(days=1)).date().isoformat(), "--to", today()]
    store.add([Impression(today(), id_maker("1", Arm.NONE)(b"").decode(), "1", "ann", 3)])
    with pytest.raises(SystemExit, match=r"replay: version 1, production: 0 choices .* record any choices"):
        main(["replay", "--version", "1", *days])
    viewers.look(store)
    store.close()
    main(["replay", "--version", "1", *days])
    printed = capsys.readouterr().out
    assert f"replay: {len(viewers.brings):,} explored lists of {len(viewers.users)} people" in printed
    assert "version 1, production: " in printed
    tags = connect(project.root, params.registration.experiment).get_model_version(params.registration.name, "1").tags
    kept = {name: value for name, value in tags.items() if name.startswith("replay_")}
    assert kept["replay_days"] == f"{days[1]} to {days[3]}"
    assert f"{kept['replay_snips']} (SNIPS), {kept['replay_doubly_robust']} (doubly robust)" in printed
    assert kept["replay_effective_lists"].endswith(f" of {len(viewers.brings)}")
    first, last = datetime.now(timezone.utc).date() - timedelta(days=1), datetime.now(timezone.utc).date()
    rows = explored(shown_between(project, params, first, last).items, since)
    found, truth = replay(choices(rows, version), 0.99), float(np.mean(viewers.brings))
    assert found.snips.low <= truth <= found.snips.high
    assert found.doubly_robust.low <= truth <= found.doubly_robust.high
    assert truth > rows["liked"].mean() + 0.05  # it does better than the lists that were shown
    assert explored(rows, time.time() + 60).empty  # of a version that is registered later, nothing counts
    with pytest.raises(SystemExit, match=r"no version of .* has the alias 'nobody'"):
        main(["replay", "--version", "1", "--alias", "nobody", *days])
