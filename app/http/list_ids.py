"""How an answer carries the id of its list, which events name: a field and a header."""

from fastapi import Response

from app.http.item_lists import json_response

RECOMMENDATION_ID = "X-Recommendation-ID"
RECOMMENDATION_ID_HEADER = RECOMMENDATION_ID.lower().encode()


def id_field(recommendation_id: bytes | None) -> dict[str, str]:
    """The field, if the list has an id."""
    return {} if recommendation_id is None else {"recommendation_id": recommendation_id.decode()}


def id_header(recommendation_id: bytes | None) -> list[tuple[bytes, bytes]]:
    """The header, if the list has an id."""
    return [] if recommendation_id is None else [(RECOMMENDATION_ID_HEADER, recommendation_id)]


def list_response(body: bytes, recommendation_id: bytes | None) -> Response:
    """A response whose body is the JSON of a list."""
    response = json_response(body)
    # Before the others, where the front door writes it.
    response.raw_headers[:0] = id_header(recommendation_id)
    return response
