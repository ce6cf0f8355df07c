"""Where events are kept: the address in EVENTS_URL, which the service, the keeper and training read alike."""

import re
from dataclasses import dataclass
from pathlib import Path

EMBEDDED_STORE = "sqlite:///events.db"  # unless EVENTS_URL says otherwise: in the project's folder
NO_STORE = "off"  # of EVENTS_URL: no events
SQLITE, POSTGRESQL = "sqlite:///", "postgresql://"
ADDRESSES = f"`{SQLITE}FILE`, `{POSTGRESQL}USER:PASSWORD@HOST/DATABASE` or `{NO_STORE}`"  # what EVENTS_URL may be
# A part of a password that is not quoted would else be read, and shown, as the host or the path.
_QUOTED = r"([^@%/?#\s]|%[0-9a-fA-F]{2})*"
_ADDRESS = re.compile(
    rf"{SQLITE}.+|{POSTGRESQL}(?!$)({_QUOTED}@)?{_QUOTED}(/{_QUOTED})?(\?([^@%#\s]|%[0-9a-fA-F]{{2}})*)?"
)
_PASSWORDS = re.compile(r"(?<=:)[^:/@]*(?=@)|(?<=[?&]password=)[^&]*")


@dataclass(frozen=True, slots=True, repr=False)
class StoreAddress:
    """A SQLite file or a PostgreSQL database; as text it shows no password."""

    url: str

    def __post_init__(self) -> None:
        """Raise ValueError if it isn't an address; the message doesn't show it."""
        if not _ADDRESS.fullmatch(self.url):
            raise ValueError(
                f"it must be {ADDRESSES.replace('`', '')}; in a password, write @ as %40, % as %25, a blank as %20"
            )

    @classmethod
    def of(cls, setting: str) -> "StoreAddress | None":
        """Parse a value of EVENTS_URL; None for `off`."""
        return None if setting == NO_STORE else cls(setting)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a database."""
        return Path(self.url.removeprefix(SQLITE)) if self.url.startswith(SQLITE) else None

    @property
    def missing_file(self) -> Path | None:
        """The SQLite file of a store that no service has opened yet."""
        return self.file if self.file is not None and not self.file.is_file() else None

    def within(self, home: Path) -> "StoreAddress":
        """The same store, if a relative path of its file begins at `home`."""
        return self if self.file is None else StoreAddress(f"{SQLITE}{home / self.file}")

    def __str__(self) -> str:
        return _PASSWORDS.sub("***", self.url) if self.file is None else str(self.file)
