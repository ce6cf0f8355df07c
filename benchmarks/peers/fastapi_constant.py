"""FastAPI without a job: the same bytes for everybody, encoded before the first request."""

import json

from fastapi import FastAPI, Response

FILMS = [
    {"rank": rank, "id": rank, "title": "The Silent River", "year": 1990, "genres": ["Drama", "War"], "score": 2.718282}
    for rank in range(1, 11)
]
ANSWER = {"user_id": "42", "model_version": "1", "source": "personalised", "items": FILMS}
BODY = json.dumps(ANSWER, separators=(",", ":")).encode()

app = FastAPI()


@app.get("/")
async def constant() -> Response:
    """Ten films."""
    return Response(BODY, media_type="application/json")
