"""A registered version of the model."""

from datetime import datetime, timedelta, timezone
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from app.contract.recommendation_id import MAX_VERSION

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)
FIRST, LAST = ((EPOCH.replace(year=year) - EPOCH) // MILLISECOND for year in (1, 9999))

# It is part of ids, of addresses and of folders' names; a folder's version is the start of a hash.
Version = Annotated[str, Field(pattern=rf"^[0-9a-f]{{1,{MAX_VERSION}}}$")]
Milliseconds = Annotated[int, Field(ge=FIRST, le=LAST)]


@dataclass(frozen=True)
class RegisteredVersion:
    """A registered version; raises ValueError for one that answers could not name.

    `created`, in milliseconds since 1970, and `run_id` tell apart versions that a wiped registry numbers alike.
    """

    version: Version
    created: Milliseconds
    run_id: str

    @property
    def registered_at(self) -> datetime:
        """When it was registered, UTC."""
        return EPOCH + self.created * MILLISECOND
