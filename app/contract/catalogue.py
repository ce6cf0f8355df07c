"""What is known of the items: titles, titles as a search compares them, and named columns, packed into arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.contract.columns import Column
from app.contract.folding import fold_all
from app.contract.packed_text import Bytes, Offsets, pack_texts, text_at

BREAK = b"\n"


@dataclass(frozen=True)
class Catalogue:
    """Items by row. A title is the UTF-8 between its offset and the next.

    `folded_titles` has a line break before each title and after the last; `folded_breaks` is where.
    """

    titles: Bytes
    title_offsets: Offsets
    folded_titles: Bytes
    folded_breaks: Offsets
    columns: tuple[Column, ...] = ()

    def title(self, row: int) -> str:
        """The title of an item row."""
        return text_at(self.titles, self.title_offsets, row)


def pack(titles: Sequence[str], columns: Sequence[Column] = ()) -> Catalogue:
    """The catalogue of items in the order of their rows; raises UnicodeEncodeError for a lone surrogate."""
    packed, offsets = pack_texts(titles)
    folded = np.frombuffer("\n".join(["", *fold_all(titles), ""]).encode(), dtype=np.uint8)
    return Catalogue(packed, offsets, folded, np.flatnonzero(folded == ord(BREAK)), tuple(columns))
