"""Generated questions: the fast answer, the documented route's and plain NumPy's are the same."""

import json
import random
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest

from app.contract.artifact import Artifact
from tests.client import Answer, without_id
from tests.every_route import EDITOR
from tests.hostile.conftest import GENRES, N_ITEMS, N_USERS, SEED, Connection, Table, Tally
from tests.hostile.ranking import Films

pytestmark = pytest.mark.hostile

CALLS = {"as learned": 20_000, "as editors changed them": 5000}
NEW = 20  # films
FOR_THE_ROUTE = "&exclude=" + "x" * 600
TOLERANCE = 1e-5


def query(random_: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if random_.random() < 0.8:
        made["k"] = random_.choice([1, 2, 3, 10, 20, 100])
    if random_.random() < 0.3:
        made["offset"] = random_.choice([0, 1, 5, 100, 399, 1000])
    for name in ("genre", "exclude_genre"):
        if random_.random() < 0.2:
            made[name] = [
                random_.choice([*GENRES, "sci-fi", "COMEDY", "Western"]) for _ in range(random_.randint(1, 3))
            ]
    for name in ("year_from", "year_to"):
        if random_.random() < 0.15:
            made[name] = random_.randrange(1940, 2030)
    if random_.random() < 0.15:
        made["exclude"] = [random_.randrange(900, 1000 + N_ITEMS) for _ in range(random_.randint(1, 20))]
    if random_.random() < 0.2:
        made["include_seen"] = True
    return made


def user(random_: random.Random) -> str:
    known = str(random_.randrange(N_USERS))
    return (
        known if random_.random() < 0.9 else random_.choice(["x", "01", "-1", "60", "é", "a/b", " 1", "9" * 30, "\0"])
    )


def is_same(items: list[dict[str, Any]], expected: tuple[list[int], list[float]]) -> bool:
    """Whether the films are those, in that order; films of equal scores may change places."""
    scores = [item["score"] for item in items]
    if len(scores) != len(expected[1]) or any(
        abs(one - other) > TOLERANCE for one, other in zip(scores, expected[1], strict=True)
    ):
        return False
    gaps = [abs(one - other) for one, other in zip(expected[1], expected[1][1:], strict=False)]
    return [item["id"] for item in items] == expected[0] or min(gaps, default=1) < TOLERANCE


def changed(connection: Connection, artifact: Artifact) -> Artifact:
    """Withdraws every tenth film and adds some, of which the model knows nothing."""
    for item in artifact.item_ids[::10].tolist():
        assert connection.ask(f"/items/{item}", method="DELETE", headers=EDITOR)[0] == 200
    new = [{"id": 2000 + n, "title": f"New {n}", "year": 1950 + n, "genres": [GENRES[n % 5]]} for n in range(NEW)]
    assert connection.ask("/items", json.dumps({"items": new}).encode(), headers=EDITOR)[0] == 200
    nothing = np.zeros((NEW, artifact.item_embeddings.shape[1]), dtype=np.float32)
    return replace(
        artifact,
        item_ids=np.append(artifact.item_ids, 2000 + np.arange(NEW)),
        item_embeddings=np.concatenate([artifact.item_embeddings, nothing]),
        item_biases=np.append(artifact.item_biases, np.full(NEW, np.median(artifact.item_biases))),
        item_popularity=np.append(artifact.item_popularity, np.zeros(NEW, dtype=np.int64)),
    )


def answer(connection: Connection, path: str) -> tuple[int, bytes]:
    status, body = connection.ask(path)
    return status, without_id(Answer(status, {}, body))


@pytest.mark.parametrize("films", CALLS)
def test_fast_answer_documented_route_and_numpy_agree(
    films: str, connection: Connection, artifact: Artifact, table: Table
) -> None:
    random_, tally = random.Random(SEED), Tally()
    if films != "as learned":
        artifact = changed(connection, artifact)
    described = [json.loads(connection.ask(f"/items/{item}")[1]) for item in artifact.item_ids.tolist()]
    known = Films(artifact, described)
    for _ in range(CALLS[films]):
        who, asked = user(random_), query(random_)
        path = f"/users/{quote(who, safe='')}/recommendations?{urlencode(asked, doseq=True)}"
        fast, documented = answer(connection, path), answer(connection, path + FOR_THE_ROUTE)
        right = fast == documented and fast[0] == 200 and is_same(json.loads(fast[1])["items"], known.best(who, asked))
        tally.count(right, (path, fast, known.best(who, asked)))
    table.add(f"generated calls, films {films}: fast answer = documented route = NumPy", tally)


def test_no_film_explains_itself(connection: Connection, table: Table) -> None:
    random_, tally = random.Random(SEED), Tally()
    for _ in range(1000):
        asked = {**query(random_), "explain": True}
        status, body = connection.ask(
            f"/users/{random_.randrange(N_USERS)}/recommendations?{urlencode(asked, doseq=True)}"
        )
        items = json.loads(body)["items"]
        own = [item["id"] for item in items if item["id"] in {reason["id"] for reason in item["because"]}]
        tally.count(status == 200 and not own, own)
    table.add("explained lists in which a film is its own reason", tally)
