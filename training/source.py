"""The `source` command: switches to other ratings, and sets aside what was said about other films."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pandas as pd

from training.data.catalogue_files import catalogue_of
from training.data.dataset import ITEM_ID
from training.data.events.snapshot import VARIABLE, existing_store, snapshot
from training.data.movielens import ARCHIVES
from training.data.raw.items import read_items
from training.data.raw.ratings import read_ratings
from training.errors import DataError
from training.fetch import fetch
from training.params.fetch import FetchParams
from training.params.whole import Params
from training.project import Project
from training.promotion.films import are_others
from training.tracking.connection import connect
from training.tracking.versions import live_version
from training.tuning.params_file import write_params


def switch(project: Project, params: Params, wanted: FetchParams) -> str:
    """Write the source into params.yaml; move the store of events away where they are about other films.

    Events name films by id, and other data may have the same ids. Raises DataError where there are no such ratings, or
    the store can't be moved.
    """
    catalogue = _catalogue(project, params, wanted)
    aside = "" if catalogue is not None and _are_live(project, params, catalogue) else _set_aside(project.root)
    write_params(project.params, {"fetch": {"source": wanted.source}})
    return f"source: {wanted.source} is in params.yaml{aside}; run: dvc repro"


def _catalogue(project: Project, params: Params, wanted: FetchParams) -> pd.DataFrame | None:
    """The films of the wanted ratings; None where they would have to be downloaded first."""
    if wanted.source in ARCHIVES:
        return _read(project.raw) if wanted.source == params.fetch.source and project.raw.is_dir() else None
    with tempfile.TemporaryDirectory() as folder:
        fetch(wanted, params.seed, Path(folder) / "raw", params.catalogue)
        return _read(Path(folder) / "raw")


def _read(raw: Path) -> pd.DataFrame:
    items = read_items(raw, {})
    return catalogue_of(read_ratings(raw)[[ITEM_ID]] if items is None else items, {})


def _are_live(project: Project, params: Params, catalogue: pd.DataFrame) -> bool:
    """Whether the live version is known to recommend these films."""
    client, name = connect(project.root, params.registration.experiment), params.registration.name
    live = live_version(client, name)
    films = live.evidence.recipe.get("data", {}).get("films", {}) if live and live.evidence else {}
    return bool(films) and not are_others(films, catalogue)


def _set_aside(home: Path) -> str:
    """Rename the embedded store if it holds events; return words that say so."""
    address = existing_store(home)
    if address is None:
        return ""
    with snapshot(address) as store:
        if not store.until:
            return ""
        name = store.store
    if address.file is None:
        raise DataError(
            f"the events in {address} are about other films: let {VARIABLE} name another database, "
            "of the service too, and run this again"
        )
    return f"; what was said about other films is now in {_rename(address.file, name)}"


def _rename(file: Path, store: str) -> Path:
    target = file.with_name(f"{file.stem}-{store[:8]}{file.suffix}")
    if target.exists():
        raise DataError(f"{target} is there already, so {file} can't be set aside: move it away, and run this again")
    try:
        with closing(sqlite3.connect(file, timeout=1)) as database:
            database.execute("PRAGMA journal_mode = DELETE")  # needs to be alone, and brings all into the one file
    except sqlite3.OperationalError as error:
        raise DataError(f"{file} is in use ({error}): stop the service, and run this again") from error
    return file.rename(target)
