"""What a client says about films, and what the service answers."""

import re
import uuid
from random import getrandbits
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.contract.events import MAX_ID_LENGTH, MAX_VALUE, TYPE_NAME, Event, is_storable
from app.schemas.bodies import Body
from app.schemas.queries import LONE_SURROGATES

MAX_EVENTS = 1000
MAX_RECOMMENDATION_ID = 64
OLDEST_SECONDS = 30 * 24 * 3600
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
AN_ID = "1b671a64-40d5-491e-99b0-da01ff1f3341"
DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")
LIKED: JsonDict = {"event_id": AN_ID, "user_id": 42, "item_id": 601, "type": "like"}
RATED: JsonDict = {"user_id": 42, "item_id": 93, "type": "rating", "value": 2.5}
TOO_LARGE = 10**MAX_ID_LENGTH  # the first whole number with too many digits


def new_event_id() -> str:
    """A random UUID. It need not be secret, and the system's random bytes take longer than the rest of an event."""
    return str(uuid.UUID(int=getrandbits(128), version=4))


def _event_id(value: object) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if not UUID.fullmatch(text):
        raise PydanticCustomError("uuid", f"It must be a UUID, such as {AN_ID}")
    return text


def _date_and_time(value: object) -> object:
    # Pydantic would take numbers for seconds or for milliseconds, as their size suggests.
    if not isinstance(value, str) or not DATE_AND_TIME.match(value):
        raise PydanticCustomError("iso_8601", "It must be a time such as 2026-11-23T11:56:29Z")
    return value


def stored_text(value: object) -> str:
    """An id as the store keeps it; raises PydanticCustomError if it can't be one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON makes no difference between 7 and 7.0
    if isinstance(value, int) and not isinstance(value, bool) and -TOO_LARGE < value < TOO_LARGE:
        value = str(value)
    if not isinstance(value, str) or not is_storable(value):
        raise PydanticCustomError(
            "event_id_text", f"An id is a whole number or a text of 1 to {MAX_ID_LENGTH} characters without \\u0000"
        )
    return LONE_SURROGATES.sub("\ufffd", value)


StoredId = Annotated[
    str,
    PlainValidator(stored_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH, "pattern": "^[^\\x00]*$"},
                {"type": "integer"},
            ]
        }
    ),
]
StoredPathText = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH, pattern=r"^[^\x00]*$")]
EventId = Annotated[
    str,
    PlainValidator(_event_id),
    WithJsonSchema({"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}),
]

Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_date_and_time)]


class NewEvent(Body):
    """Something that a user says about a film."""

    event_id: EventId | None = Field(
        default=None, description="A UUID of your making, by which a repeated event is recognised.", examples=[AN_ID]
    )
    user_id: StoredId = Field(description="Whose event it is; the model need not know the user.", examples=[42])
    item_id: StoredId = Field(description="The film's id.", examples=[601])
    type: str = Field(
        min_length=1,
        max_length=40,
        pattern=f"^{TYPE_NAME.pattern}$",
        description="What is said about the film: a type that the model knows.",
        examples=["like"],
    )
    value: float | None = Field(
        default=None,
        ge=-MAX_VALUE,
        le=MAX_VALUE,
        allow_inf_nan=False,
        description="The stars of a rating, or the number that the type comes with; most types have none.",
        examples=[4.5],
    )
    occurred_at: Time | None = Field(
        default=None,
        description="When it happened, with a time zone; without it, now.",
        examples=["2026-11-23T11:56:29Z"],
    )
    recommendation_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_RECOMMENDATION_ID,
        pattern=r"^[A-Za-z0-9._~-]+$",
        description="The list in which the user saw the film.",
        examples=["AQEBZ0Y1"],
    )

    def as_event(self, received_at: float) -> Event:
        """The event, its time within the 30 days before it was received: a client's clock may be wrong."""
        occurred_at = received_at if self.occurred_at is None else self.occurred_at.timestamp()
        return Event(
            self.event_id or new_event_id(),
            self.user_id,
            self.item_id,
            self.type,
            self.value,
            min(max(occurred_at, received_at - OLDEST_SECONDS), received_at),
            self.recommendation_id,
        )


class EventsRequest(Body):
    """What users have said about films."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": [LIKED, RATED]}]})
    max_values = 10 * MAX_EVENTS
    events: list[NewEvent] = Field(
        min_length=1, max_length=MAX_EVENTS, description="In the order in which they happened.", examples=[[]]
    )


class AppendedEvents(BaseModel):
    """What came of the events of a request."""

    accepted: int = Field(description="How many are stored now that were not before.", examples=[2])
    duplicates: int = Field(description="How many had an `event_id` that is stored already.", examples=[0])
    unknown_items: list[str] = Field(
        description="Ids of films that the model doesn't know; their events are not stored.", examples=[["900001"]]
    )
    position: int = Field(description="The store's last position: it holds all of these events.", examples=[1207])


class ForgottenUser(BaseModel):
    """A user whose wish to be forgotten is stored."""

    user_id: str = Field(description="The id as it was sent.", examples=["42"])
    position: int = Field(description="The store's last position: it holds the wish.", examples=[1208])
