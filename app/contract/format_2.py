"""Reads format 2 as if it were format 3. To be deleted in 1.1.0.

Format 2 has arrays of years and genres in place of columns.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.contract.artifact_files import load_arrays
from app.contract.artifact_format import MANIFEST, Arrays, Table, check_listed, check_shapes

VERSION = 2
NO_YEAR = np.iinfo(np.int32).min
COLUMNS = [
    {"name": "year", "type": "number", "filter": True, "shown": True, "learn": True},
    {"name": "genres", "type": "tags", "filter": True, "shown": True, "learn": True},
]
YEARS = "years"
FORMER: Table = {
    YEARS: ("<i4", ("items",)),
    "genre_indptr": ("<i8", ("items + 1",)),
    "genre_codes": ("<i4", ("film genres",)),
    "genre_names": ("|u1", ("genre bytes",)),
    "genre_name_offsets": ("<i8", ("genres + 1",)),
}


def load_columns(directory: Path, files: Mapping[str, Any]) -> Arrays:
    """The arrays of COLUMNS in format 3; raises ArtifactError where one isn't what `files` lists."""
    check_listed(directory / MANIFEST, files, [f"{name}.npy" for name in FORMER])
    arrays = load_arrays(directory, files, FORMER)
    check_shapes(directory, arrays, FORMER)
    years = arrays.pop(YEARS)
    columns: Arrays = {"column_0_values": np.where(years == NO_YEAR, np.nan, years.astype(np.float64))}
    return columns | {name.replace("genre", "column_1"): array for name, array in arrays.items()}
