"""The `fetch` stage: brings ratings and films from their source to data/raw, all or nothing."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from training.data import movielens, sample
from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID
from training.data.raw import read_ratings
from training.data.raw.layouts import OWN, SPLITS
from training.data.sample.simulation import simulate
from training.errors import DataError
from training.files import replacing
from training.params.fetch import FetchParams

CATALOGUE = Path(sample.__file__).with_name("catalogue.csv")


def fetch(params: FetchParams, seed: int, destination: Path, *, base_url: str = movielens.BASE_URL) -> None:
    """Fill `destination` from `params.source`; a DataError leaves it as it was.

    MovieLens archives come from the folder named by the environment variable MOVIELENS_DIR if it is set, else from
    `base_url`.
    """
    try:
        with replacing(destination) as folder:
            folder.mkdir()
            _fill(folder, params, seed, base_url)
    except OSError as error:
        raise DataError(f"{destination} could not be filled: {error}; check permissions and free space") from error


def _fill(folder: Path, params: FetchParams, seed: int, base_url: str) -> None:
    if params.source == "sample":
        _write_sample(seed, folder)
    elif params.source == "csv":
        _copy_own(Path(params.csv_folder), folder)
    elif params.source == "split":
        _copy_split(Path(params.csv_folder), folder)
    else:
        local = os.environ.get(movielens.VARIABLE)
        movielens.fetch(params.source, folder, local=Path(local) if local else None, base_url=base_url)


def _write_sample(seed: int, folder: Path) -> None:
    catalogue = pd.read_csv(CATALOGUE, keep_default_na=False)
    ratings = simulate(catalogue, seed).ratings[[USER_ID, ITEM_ID, RATING, TIMESTAMP]]
    ratings.to_csv(folder / OWN.ratings, index=False, lineterminator="\n")
    shutil.copyfile(CATALOGUE, folder / OWN.items)


def _copy_own(source: Path, folder: Path) -> None:
    """Copy own ratings and, if there is one, the file of own films."""
    for parts in (source / "ratings.csv", source / "ratings.parquet"):
        if parts.is_dir() and any(parts.glob(f"*{parts.suffix}")):  # engine: spark reads many files
            shutil.copytree(parts, folder / f"interactions{parts.suffix}")
            _copy_items(source, folder)
            return
    if not _has(source, "ratings.csv"):
        raise DataError(
            f"{source / 'ratings.csv'} doesn't exist; put your ratings there as user_id,item_id[,rating][,timestamp], "
            "or change fetch.csv_folder or fetch.source in params.yaml"
        )
    shutil.copyfile(source / "ratings.csv", folder / OWN.ratings)
    _copy_items(source, folder)
    _check(folder, {OWN.ratings: source / "ratings.csv", OWN.items: source / OWN.items})


def _copy_split(source: Path, folder: Path) -> None:
    """Copy both parts of a given split and, if there is one, the file of films."""
    names = [name for layout in SPLITS for name in (layout.ratings, str(layout.test))]
    present = [name for name in names if _has(source, name)]
    if present not in (names[:2], names[2:]):
        raise DataError(
            f"{source} holds {' and '.join(present) or 'no split'}: put either {' and '.join(names[:2])} there (lines "
            f"of a user and its items) or {' and '.join(names[2:])} (lines user,item), or change fetch.csv_folder or "
            "fetch.source in params.yaml"
        )
    for name in present:
        shutil.copyfile(source / name, folder / name)
    _copy_items(source, folder)
    _check(folder, {name: source / name for name in (*present, OWN.items)})


def _check(folder: Path, origins: Mapping[str, Path]) -> None:
    """Read what was copied, as `prepare` will; an error names the person's own file, which is the one to correct."""
    try:
        read_ratings(folder)
    except DataError as error:
        sentence = str(error)
        for name, origin in origins.items():
            sentence = sentence.replace(str(folder / name), str(origin))
        raise DataError(sentence) from error


def _copy_items(source: Path, folder: Path) -> None:
    if _has(source, OWN.items):
        shutil.copyfile(source / OWN.items, folder / OWN.items)


def _has(source: Path, name: str) -> bool:
    """Whether the folder has this file; raise DataError for what somebody may take for it, and is not."""
    for path in source.iterdir() if source.is_dir() else ():
        if path.name.strip().lower() == name and path.name != name:
            raise DataError(f"{path.name!r} in {source} should be called {name}: rename it, or remove it")
        if path.name == name and not path.is_file():
            kind = "a link that leads nowhere" if path.is_symlink() else "no file"
            raise DataError(f"{path} is {kind}: put the file there, or remove it")
    return (source / name).is_file()
