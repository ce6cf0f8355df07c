"""The `fetch` stage: brings ratings and films from their source to data/raw, all or nothing."""

import os
import shutil
from pathlib import Path

import pandas as pd

from training.data import movielens, sample
from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID
from training.data.embeddings import add_embeddings
from training.data.own import copy_csv, copy_parquet, copy_split
from training.data.queries import copy_answers
from training.data.raw.layouts import OWN
from training.data.sample.simulation import simulate
from training.errors import DataError
from training.files import replacing
from training.params.catalogue import NO_COLUMNS, CatalogueParams
from training.params.fetch import FetchParams

CATALOGUE = Path(sample.__file__).with_name("catalogue.csv")
OWN_FILES = {"csv": copy_csv, "parquet": copy_parquet, "split": copy_split}


def fetch(
    params: FetchParams,
    seed: int,
    destination: Path,
    catalogue: CatalogueParams = NO_COLUMNS,
    *,
    base_url: str = movielens.BASE_URL,
) -> None:
    """Fill `destination` from `params.source`; a DataError leaves it as it was.

    Own files are checked as `prepare` will check them, by the columns of `catalogue`, so that an error names the
    person's own file. MovieLens archives come from the folder named by the environment variable MOVIELENS_DIR if it is
    set, else from `base_url`.
    """
    try:
        with replacing(destination) as folder:
            folder.mkdir()
            _fill(folder, params, seed, catalogue, base_url)
    except OSError as error:
        raise DataError(f"{destination} could not be filled: {error}; check permissions and free space") from error


def _fill(folder: Path, params: FetchParams, seed: int, catalogue: CatalogueParams, base_url: str) -> None:
    if params.source == "sample":
        _write_sample(seed, folder)
    elif params.source in OWN_FILES:
        OWN_FILES[params.source](Path(params.csv_folder), folder, catalogue)
        add_embeddings(Path(params.csv_folder), folder / OWN.items)
    elif params.source == "sql":
        copy_answers(params.sql, folder, catalogue)
    else:
        local = os.environ.get(movielens.VARIABLE)
        movielens.fetch(params.source, folder, local=Path(local) if local else None, base_url=base_url)


def _write_sample(seed: int, folder: Path) -> None:
    catalogue = pd.read_csv(CATALOGUE, keep_default_na=False)
    ratings = simulate(catalogue, seed).ratings[[USER_ID, ITEM_ID, RATING, TIMESTAMP]]
    ratings.to_csv(folder / OWN.ratings, index=False, lineterminator="\n")
    shutil.copyfile(CATALOGUE, folder / OWN.items)
