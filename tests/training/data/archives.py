"""Tiny data sets in every layout, MovieLens archives made of them, and a server that answers with what a test wants."""

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

from tests.processes import PROJECT
from training.params.fetch import FetchParams

# Where real ratings may be; read when this is imported, before a test takes the variable away.
MOVIELENS = Path(os.environ.get("MOVIELENS_DIR") or PROJECT.parent / "shared" / "data").resolve()
needs_movielens = pytest.mark.skipif(
    not any((MOVIELENS / name).exists() for name in ("ml-latest-small.zip", "ml-latest-small")),
    reason=f"ml-latest-small isn't in {MOVIELENS}; MOVIELENS_DIR can name its folder",
)

Files = Mapping[str, str | bytes]

OWN = {
    "interactions.csv": "user_id,item_id,rating,timestamp\n7,1,4.5,1000\n7,2,3,2000\n8,1,0.5,0\n",
    "items.csv": "item_id,title,year,genres\n1,Alien,1979,Horror|Science Fiction\n2,Up,,\n3,Untouched,2024,Drama\n",
}
CSV = {
    "ratings.csv": "userId,movieId,rating,timestamp\n7,1,4.5,1000\n7,2,3.0,2000\n8,1,0.5,0\n",
    "movies.csv": 'movieId,title,genres\n1,"Matrix, The (1999)",Action|Sci-Fi\n2,Up,(no genres listed)\n',
}
DAT = {
    "ratings.dat": "7::1::5::1000\n7::2::3::2000\n8::1::1::0\n",
    "movies.dat": "1::Misérables, Les (1995)::Drama|Musical\n2::Up (2009)::Animation\n",
}
TAB = {
    "u.data": "7\t1\t5\t1000\n7\t2\t3\t2000\n8\t1\t1\t0\n",
    "u.item": (
        "1|Été, L' (1995)|01-Jan-1995||http://x|0|1|0|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0\n"
        "2|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    ),
}


def fetch_params(**changes: object) -> FetchParams:
    """The section `fetch`, of the sample and without events unless something else is said."""
    queries = {"ratings": "SELECT * FROM ratings", "items": None, "users": None}
    content = {"source": "sample", "csv_folder": "data/own", "sql": queries, "events": False}
    return FetchParams.model_validate({**content, **changes})


def write(folder: Path, files: Files, encoding: str = "utf-8") -> Path:
    """Write files into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return folder


def archive(files: Files, folder: str = "ml") -> bytes:
    """A zip archive of files below a folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in {**files, "README.txt": "about"}.items():
            opened.writestr(f"{folder}/{name}", text)
    return content.getvalue()


class Answer(NamedTuple):
    """What the server says to every request."""

    body: bytes
    status: int = 200
    promised: int | None = None  # Content-Length, if it isn't the truth


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The address of a server that gives this answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Length", str(answer.promised or len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/movielens"
        finally:
            server.shutdown()
            thread.join()
