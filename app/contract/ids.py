"""Finding the row of an external id."""

import numpy as np
import numpy.typing as npt


def row_of(ids: npt.NDArray[np.generic], external_id: str) -> int | None:
    """The row of an id among sorted ids, int64 or fixed-width text; None if it isn't there."""
    if ids.dtype.kind == "i":
        number = as_number(external_id)
        wanted = None if number is None else np.array(number, dtype=np.int64)
    else:
        # A longer text, or one that ends in NUL, would silently be cut to fit the array's width.
        fits = len(external_id) * 4 <= ids.dtype.itemsize and not external_id.endswith("\0")
        wanted = np.array(external_id, dtype=ids.dtype) if fits else None
    if wanted is None:
        return None
    row = int(ids.searchsorted(wanted))
    return row if row < len(ids) and ids[row] == wanted else None


def as_number(text: str) -> int | None:
    """The int64 that a canonical decimal text stands for; "007" and "+7" are not ids of user 7."""
    if len(text) > 20 or not text.removeprefix("-").isdecimal() or str(int(text)) != text:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
