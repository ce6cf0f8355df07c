"""Fetches MovieLens archives from GroupLens' server or a local folder, checks them and unpacks the files in use."""

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import httpx

from training.data.raw.layouts import MOVIELENS_CSV, MOVIELENS_DAT, MOVIELENS_TAB, Layout
from training.errors import DataError
from training.progress import counter

BASE_URL = "https://files.grouplens.org/datasets/movielens"
VARIABLE = "MOVIELENS_DIR"
BLOCK = 1 << 20


@dataclass(frozen=True)
class Archive:
    """The layout of an archive and how to recognise it."""

    layout: Layout
    md5: str | None = None  # as GroupLens publishes it; None where the archive changes over time
    folder: str | None = None  # the folder inside, if its name differs


ARCHIVES = {
    "ml-latest-small": Archive(MOVIELENS_CSV),
    "ml-100k": Archive(MOVIELENS_TAB, "0e33842e24a9c977be4e0107933c0723"),
    "ml-1m": Archive(MOVIELENS_DAT, "c4d9eecfca2ab87c1945afe126590906"),
    "ml-10m": Archive(MOVIELENS_DAT, "ce571fd55effeba0271552578f2648bd", folder="ml-10M100K"),
    "ml-20m": Archive(MOVIELENS_CSV, "cd245b17a1ae2cc31bb14903e1204af3"),
    "ml-25m": Archive(MOVIELENS_CSV, "6b51fb2759a8657d3bfcbfc42b592ada"),
    "ml-32m": Archive(MOVIELENS_CSV, "d472be332d4daa821edc399621853b57"),
}


def fetch(name: str, destination: Path, *, local: Path | None = None, base_url: str = BASE_URL) -> None:
    """Put the ratings and films of the archive `name` into `destination`, from the folder `local` if one is given."""
    if local is None:
        downloaded = destination / f"{name}.zip"
        url = f"{base_url}/{name}.zip"
        _download(url, downloaded)
        _unpack(downloaded, url, ARCHIVES[name], destination)
        downloaded.unlink()
    elif (local / f"{name}.zip").is_file():
        _unpack(local / f"{name}.zip", str(local / f"{name}.zip"), ARCHIVES[name], destination)
    else:
        _copy(_unpacked(local, name), ARCHIVES[name].layout, destination)


def _download(url: str, target: Path) -> None:
    timeout = httpx.Timeout(60, connect=15)
    remedy = f"check the network, or set {VARIABLE} to a folder that holds {target.name}"
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=timeout) as response:
            response.raise_for_status()
            _save(response, target)
    except httpx.HTTPStatusError as error:
        raise DataError(f"{url} answered with status {error.response.status_code}; {remedy}") from error
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise DataError(f"{url} could not be downloaded ({reason}); {remedy}") from error


def _save(response: httpx.Response, target: Path) -> None:
    """Write the answer to a file, and show how far it is."""
    size = int(response.headers.get("content-length", 0)) or None
    with target.open("wb") as file, counter(target.name, "B", size, unit_scale=True) as bar:
        for block in response.iter_bytes(BLOCK):
            file.write(block)
            bar.update(len(block))


def _unpack(path: Path, origin: str, archive: Archive, destination: Path) -> None:
    """Extract the files in use; zipfile compares their checksums."""
    _check(path, origin, archive.md5)
    try:
        with zipfile.ZipFile(path) as opened:
            for name in _files(archive.layout, {PurePosixPath(member).name for member in opened.namelist()}):
                with opened.open(_member(opened, name, origin)) as source, (destination / name).open("wb") as target:
                    shutil.copyfileobj(source, target, BLOCK)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(f"{origin} is damaged ({error}); {_remedy(origin)}") from error


def _remedy(origin: str) -> str:
    if origin.startswith(("http://", "https://")):
        return f"run again, or set {VARIABLE} to a folder that holds a good copy"
    return f"replace it by a fresh download from {BASE_URL}"


def _check(path: Path, origin: str, md5: str | None) -> None:
    """Refuse a web page, a truncated archive, and one that differs from what GroupLens published."""
    with path.open("rb") as file:
        start = file.read(512).lstrip().lower()
    if start.startswith(b"<"):
        raise DataError(f"{origin} is an HTML page instead of a zip archive (a proxy's?); {_remedy(origin)}")
    if not zipfile.is_zipfile(path):
        size = path.stat().st_size
        raise DataError(f"{origin} is truncated or not a zip archive ({size:,} bytes); {_remedy(origin)}")
    if md5 is not None and (actual := _md5(path)) != md5:
        raise DataError(f"{origin} has md5 {actual}, but GroupLens published {md5}; {_remedy(origin)}")


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _member(opened: zipfile.ZipFile, name: str, origin: str) -> zipfile.ZipInfo:
    """The member with this file name; its folder is ignored, because an archive can name any."""
    paths = {info: PurePosixPath(info.filename) for info in opened.infolist() if not info.is_dir()}
    members = [info for info, path in paths.items() if path.name == name]
    if not members:
        raise DataError(f"{origin} lacks {name}, it holds {_some(p.name for p in paths.values())}; {_remedy(origin)}")
    return min(members, key=lambda info: len(paths[info].parts))


def _unpacked(local: Path, name: str) -> Path:
    """The local folder that holds the unpacked archive."""
    layout, folder = ARCHIVES[name].layout, ARCHIVES[name].folder or name
    for candidate in (local / name, local / folder, local):
        if (candidate / layout.ratings).is_file() and (candidate / layout.items).is_file():
            return candidate
    raise DataError(
        f"{local} (from {VARIABLE}) holds neither {name}.zip nor {folder}/{layout.ratings} with {layout.items}; "
        f"put one of them there, or unset {VARIABLE} to download"
    )


def _copy(source: Path, layout: Layout, destination: Path) -> None:
    for name in _files(layout, {path.name for path in source.iterdir()}):
        shutil.copyfile(source / name, destination / name)


def _files(layout: Layout, there: Container[str]) -> list[str]:
    """The files in use: that of people is there in old archives only."""
    return [layout.ratings, layout.items, *(name for name in (layout.users,) if name is not None and name in there)]


def _some(names: Iterable[str]) -> str:
    """The first few names, for a message."""
    listed = sorted(names)
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "") if listed else "nothing"
