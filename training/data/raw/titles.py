"""Takes MovieLens titles apart: "Matrix, The (1999)" is The Matrix, of 1999."""

import re

# "(1999)", "(2006–2007)", "(1995) (V)": the first year counts.
_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)\s*(?:\(V\)\s*)?$")
_ARTICLES = r"The|A|An|Les|Le|La|L'|Los|Las|El|Lo|Il|I|Gli|Der|Die|Das|Den|Det|De|Het|En|Ett|O|Os|As|Um|Uma|Un|Une|Una"
# At the end of the title or, in "City of Lost Children, The (Cité des enfants perdus, La)", of each of its parts.
_MOVED = re.compile(rf"(^|\((?:a\.k\.a\. )?)([^()]+), ({_ARTICLES})(?=$| \(|\))")
NO_GENRES = "(no genres listed)"


def split_title(text: str) -> tuple[str, int | None]:
    """Split a text into the title, its article in front, and the year at its end if there is one."""
    year = _YEAR.search(text)
    title = text[: year.start()] if year else text.strip()
    return _MOVED.sub(_with_article, title), int(year[1]) if year else None


def _with_article(match: re.Match[str]) -> str:
    before, name, article = match.groups()
    space = "" if article.endswith("'") else " "
    return f"{before}{article}{space}{name}"
