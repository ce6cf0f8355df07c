"""How titles, genres and queries are compared: without case, accents and punctuation."""

import re
import unicodedata
from collections.abc import Sequence

# Letters that Unicode does not take apart into a plain one and an accent.
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "'": "", "’": ""}
WORD = re.compile(r"\w+")


def fold(text: str) -> str:
    """A text as it is compared: small letters without accents, words separated by one space."""
    return fold_all([text])[0]


def fold_all(texts: Sequence[str]) -> list[str]:
    """`fold` for many texts at once, which is quicker than one by one."""
    joined = "\n".join(text.replace("\n", " ") for text in texts)
    if not joined.isascii():
        joined = unicodedata.normalize("NFKD", joined).casefold()
        joined = joined.translate({ord(letter): None for letter in set(joined) if unicodedata.combining(letter)})
    joined = joined.lower()
    for letter, plain in LETTERS.items():
        joined = joined.replace(letter, plain)
    # A title such as "$" or "…" consists of no words.
    return [" ".join(WORD.findall(line)) or "".join(line.split()) for line in joined.split("\n")]
