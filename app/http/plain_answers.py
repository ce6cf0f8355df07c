"""Puts together the answers to plain requests, which name a user and perhaps k, from one template for each k."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import pydantic_core

from app.http.item_lists import SCORE_DECIMALS
from app.model.item_fields import to_json
from app.model.store import ServedModel
from app.observability.figures import ListCount
from app.observability.served_lists import NotedList, ReadyList
from app.observability.telemetry import FALLBACK, Telemetry

PERSONALISED = "personalised"


class PlainAnswers:
    """The answers of one model: from ready lists, and from popular items for users whom the model does not know."""

    def __init__(
        self, model: ServedModel, telemetry: Telemetry, counts: Mapping[str, ListCount], *, with_ids: bool
    ) -> None:
        """`counts` has a count for each source that only the caller's thread adds to.

        `with_ids` says that each answer has a recommendation id.
        """
        self.model, self._with_ids = model, with_ids
        self._served = telemetry.served_lists.of(model.artifact)
        self._personalised, self._fallbacks = counts[PERSONALISED], counts[FALLBACK]
        self._templates: dict[int, bytes] = {}
        self._popular: dict[int, tuple[bytes, NotedList]] = {}

    def body(self, user_id: bytes, k: int, recommendation_id: bytes | None) -> bytes | None:
        """`Recommendations` as JSON, counted; None if the list must be ranked. `user_id` needs no escapes in JSON."""
        named = (user_id,) if recommendation_id is None else (user_id, recommendation_id)
        ready = self.model.ready_lists
        user_row = ready.user_row(user_id)
        if user_row is None:
            return self._popular_body(named, k)
        first = ready.first(user_row, k)
        if first is None:
            return None
        template = self._templates.get(k)
        if template is None:
            template = self._templates[k] = self._template(PERSONALISED, k)
        fragments = map(self.model.catalogue.fragment, first[0])
        self._served.append(ReadyList(user_row, k) if ready.are_learned else _noted(first[0]))
        self._personalised.lists += 1
        return template % (*named, *chain.from_iterable(zip(fragments, score_texts(first[1]), strict=False)))

    def _popular_body(self, named: tuple[bytes, ...], k: int) -> bytes | None:
        if k not in self._popular:
            ranking = self.model.recommender.popular(k)
            rows, scores = ranking.items[0].tolist(), score_texts(ranking.scores[0].round(SCORE_DECIMALS).tolist())
            if len(rows) < k:
                return None  # the answer says why
            places = chain.from_iterable(zip(map(self.model.catalogue.fragment, rows), scores, strict=True))
            answer = self._template(FALLBACK, k) % (*[b"\0"] * (1 + self._with_ids), *places)
            # JSON escapes NUL in texts, so that it stands nowhere else.
            answer = answer.replace(b"%", b"%%").replace(b"\0", b"%b")
            noted = NotedList(ranking.items[0].astype("<i4").tobytes(), is_fallback=True, is_short=False)
            self._popular[k] = answer, noted
        answer, noted = self._popular[k]
        self._served.append(noted)
        self._fallbacks.lists += 1
        return answer % named

    def _template(self, source: str, k: int) -> bytes:
        version = to_json(self.model.version).replace(b"%", b"%%")
        version += b',"recommendation_id":"%b"' if self._with_ids else b""
        places = b"},".join(b'{"rank":%d,%%b,"score":%%b' % rank for rank in range(1, k + 1))
        return b'{"user_id":"%%b","model_version":%b,"source":"%b","items":[%b}]}' % (version, source.encode(), places)


def _noted(rows: Sequence[int]) -> NotedList:
    return NotedList(np.array(rows, dtype="<i4").tobytes(), is_fallback=False, is_short=False)


def score_texts(scores: Sequence[float]) -> list[bytes]:
    """The scores as `to_json` writes them, which takes four times as long."""
    text = pydantic_core.to_json(scores)
    if b"e" in text or b"0.0000" in text:  # the two spell only such numbers differently
        text = to_json(scores)
    return text[1:-1].split(b",")
