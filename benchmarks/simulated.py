"""Data sets of any size: simulated, with the best possible ranking that their truth tells, or made up to see costs."""

from pathlib import Path

import numpy as np
import pandas as pd

from app.contract.artifact import Artifact
from benchmarks.big_artifact import Size
from benchmarks.quality import prepared_from
from benchmarks.ratings import write
from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID, Dataset
from training.data.raw.items import YEAR
from training.data.raw.layouts import OWN
from training.data.sample.simulation import Simulation, simulate
from training.fetch import CATALOGUE
from training.fitting.assembly import Knowledge
from training.models.base import Factors
from training.params.prepare import PrepareStage

SIZES = {
    "dense": Size(6_000, 3_000, 1_000_000),
    "denser": Size(6_000, 3_000, 2_000_000),
    "sparse": Size(12_000, 12_000, 420_000),
}
MADE_UP = {"catalogue": Size(users=30_000, items=40_000, seen=2_500_000)}  # a size that papers use


def simulated(size: Size, params: PrepareStage, seed: int) -> tuple[Dataset, Simulation]:
    """Simulate ratings, and prepare them in a temporary folder."""
    films = catalogue(size.items)
    simulation = simulate(films, seed, size.users, size.seen)

    def fill(folder: Path) -> None:
        folder.mkdir(parents=True)
        columns = [USER_ID, ITEM_ID, RATING, TIMESTAMP]
        simulation.ratings.to_csv(folder / OWN.ratings, index=False, columns=columns)
        films.to_csv(folder / OWN.items, index=False)

    return prepared_from(fill, params.model_copy(update={"seed": seed})), simulation


def made_up(size: Size, params: PrepareStage, seed: int) -> Dataset:
    """Make up ratings from which only popularity can be learned, and prepare them in a temporary folder."""

    def fill(folder: Path) -> None:
        write(folder, size, seed)
        (folder / "ratings.csv").rename(folder / OWN.ratings)

    return prepared_from(fill, params.model_copy(update={"seed": seed}))


def catalogue(n_items: int) -> pd.DataFrame:
    """As many films: those of the sample, again and again, in order of year."""
    films = pd.read_csv(CATALOGUE, keep_default_na=False)
    films = pd.concat([films] * -(-n_items // len(films))).head(n_items)
    return films.sort_values(YEAR, kind="stable").assign(**{ITEM_ID: np.arange(1, n_items + 1)})


def best_possible(dataset: Dataset, simulation: Simulation, threads: int) -> Artifact:
    """An artifact that ranks by the truth: the chance that a user's next film is this one, and liked."""
    knowledge = Knowledge(dataset, ("train", "validation"), threads)
    users = np.searchsorted(simulation.user_ids, dataset.user_ids[knowledge.known_users])
    items = np.searchsorted(simulation.item_ids, dataset.item_ids)
    chances = simulation.probability[users][:, items].astype(np.float32)
    zeros = np.zeros(max(chances.shape), dtype=np.float32)
    one_each = np.eye(len(items), dtype=np.float32)
    return knowledge.ranking_artifact(Factors(chances, one_each, zeros[: len(users)], zeros[: len(items)]))
