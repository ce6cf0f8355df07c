"""Artifacts with changed bytes: refused with a sentence, or they answer everybody."""

import random
import shutil
from pathlib import Path

import pytest

from app.contract.artifact import Artifact
from app.model.errors import ModelRefusedError
from app.model.profile import learned_profile
from app.model.registered_version import RegisteredVersion
from app.model.selection import allowed_items, recommend
from app.model.store import ServedModel, load_model
from app.schemas.queries import UserQuery
from tests.app.contract.hostile import list_hash
from tests.artifacts import write
from tests.hostile.conftest import SEED, Table, Tally
from tests.hostile.test_http import mutated

pytestmark = pytest.mark.hostile

MUTANTS = 1000
QUERIES = [
    UserQuery(k=20),
    UserQuery(k=5, diversity=0.5, include_seen=True),
    UserQuery(genre=["comedy"], year_from=1990),
]


def answers_everybody(model: ServedModel) -> bool:
    for user_id in model.artifact.user_ids[:20]:
        for query in QUERIES:
            recommend(model, learned_profile(model, str(user_id)), query, allowed_items(model, query))
    return bool(model.catalogue.item(0))


@pytest.mark.parametrize("is_hidden", [False, True], ids=["plain", "hidden"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers near the end of float32
def test_changed_bytes(artifact: Artifact, table: Table, tmp_path: Path, is_hidden: bool) -> None:
    """Hidden: the manifest lists the hash of the changed file, as hostile software would write it."""
    random_, tally = random.Random(SEED), Tally()
    good, bad = write(tmp_path / "good", artifact), tmp_path / "bad"
    names = sorted(path.name for path in good.iterdir())
    for _ in range(MUTANTS // 2):
        shutil.rmtree(bad, ignore_errors=True)
        shutil.copytree(good, bad)
        name = random_.choice(names)
        content = (good / name).read_bytes()
        # A change at the beginning is one of the array's header.
        edge = random_.choice([len(content), 128])
        (bad / name).write_bytes(mutated(random_, content[:edge]) + content[edge:])
        if is_hidden and name != "manifest.json":
            list_hash(bad, name)
        try:
            right, said = answers_everybody(load_model(bad, RegisteredVersion("1", 0, ""))), "no answer"
            right = right and (is_hidden or (bad / name).read_bytes() == content or name == "manifest.json")
        except ModelRefusedError as error:
            right, said = bool(str(error)), name
        except Exception as error:
            right, said = False, f"{name}: {type(error).__name__}: {error}"
        tally.count(right, said)
    table.add(f"artifacts with changed bytes{', their hashes corrected' * is_hidden}", tally)
