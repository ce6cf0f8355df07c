"""Many texts in one array of bytes, and where each begins."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]


def pack_texts(texts: Sequence[str]) -> tuple[Bytes, Offsets]:
    """The UTF-8 of all texts with nothing between, and their offsets; raises UnicodeEncodeError for a surrogate."""
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets


def text_at(packed: Bytes, offsets: Offsets, row: int) -> str:
    """The text between an offset and the next."""
    start, end = offsets[row : row + 2].tolist()
    return packed[start:end].tobytes().decode()


def texts_of(packed: Bytes, offsets: Offsets) -> list[str]:
    """All texts."""
    return [text_at(packed, offsets, row) for row in range(len(offsets) - 1)]
