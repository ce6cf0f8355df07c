"""Addresses of stores of events."""

from pathlib import Path

import pytest

from app.contract.store_address import StoreAddress


@pytest.mark.parametrize(
    "url", ["", "events.db", "sqlite:///", "mysql://localhost/events", "sqlite://events.db", "postgres://h/d"]
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="it must be sqlite:///FILE, postgresql://"):
        StoreAddress(url)


def test_only_the_relative_path_of_a_file_begins_at_the_project_s_folder() -> None:
    home = Path("/project")
    assert StoreAddress("sqlite:///events.db").within(home).file == home / "events.db"
    assert StoreAddress("sqlite:////data/events.db").within(home).file == Path("/data/events.db")
    database = StoreAddress("postgresql://host/events")
    assert database.within(home) == database
    assert database.file is None


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("postgresql://me:secret@host:1/events", "postgresql://me:***@host:1/events"),
        (
            "postgresql://me@host/events?port=1&password=secret&a=b",
            "postgresql://me@host/events?port=1&password=***&a=b",
        ),
        ("sqlite:///a:secret@b.db", "a:secret@b.db"),  # the name of a file
    ],
)
def test_an_address_shows_no_password(url: str, text: str) -> None:
    assert f"{StoreAddress(url)}" == text
    assert "secret" not in repr(StoreAddress(url))


def test_a_file_that_no_service_has_opened_is_missing(tmp_path: Path) -> None:
    address = StoreAddress(f"sqlite:///{tmp_path}/events.db")
    assert address.missing_file == tmp_path / "events.db"
    (tmp_path / "events.db").touch()
    assert address.missing_file is None
    assert StoreAddress("postgresql://host/events").missing_file is None


def test_off_is_no_store() -> None:
    assert StoreAddress.of("off") is None
