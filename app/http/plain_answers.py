"""Puts together the answers to plain requests, which name a user and perhaps k, from one template for each k."""

from collections.abc import Sequence
from itertools import chain

import pydantic_core

from app.http.item_lists import ListAnswer
from app.model.item_fields import to_json
from app.model.ready_lists import SCORE_DECIMALS
from app.model.store import ServedModel
from app.observability.served_lists import NotedList, ReadyList
from app.observability.telemetry import FALLBACK

PERSONALISED = "personalised"


class PlainAnswers:
    """The answers of one model: from ready lists, and from popular items for users whom the model does not know."""

    def __init__(self, model: ServedModel, *, with_ids: bool) -> None:
        """`with_ids` says that each answer has a recommendation id."""
        self.model, self._with_ids = model, with_ids
        self._templates: dict[int, bytes] = {}
        self._popular: dict[int, tuple[bytes, NotedList]] = {}

    def answer(self, user_id: bytes, k: int, recommendation_id: bytes | None) -> ListAnswer | None:
        """None if the list must be ranked. `user_id` needs no escapes in JSON."""
        named = (user_id,) if recommendation_id is None else (user_id, recommendation_id)
        ready = self.model.ready_lists
        user_row = ready.user_row(user_id)
        if user_row is None:
            return self._popular_answer(named, k)
        first = ready.first(user_row, k)
        if first is None:
            return None
        template = self._templates.get(k)
        if template is None:
            template = self._templates[k] = self._template(PERSONALISED, k)
        rows, scores, is_learned = first
        fragments = map(self.model.catalogue.fragment, rows)
        body = template % (*named, *chain.from_iterable(zip(fragments, score_texts(scores), strict=False)))
        return body, PERSONALISED, ReadyList(user_row, k) if is_learned else NotedList.of(rows)

    def _popular_answer(self, named: tuple[bytes, ...], k: int) -> ListAnswer | None:
        if k not in self._popular:
            ranking = self.model.recommender.popular(k)
            rows, scores = ranking.items[0].tolist(), score_texts(ranking.scores[0].round(SCORE_DECIMALS).tolist())
            if len(rows) < k:
                return None  # the answer says why
            places = chain.from_iterable(zip(map(self.model.catalogue.fragment, rows), scores, strict=True))
            answer = self._template(FALLBACK, k) % (*[b"\0"] * (1 + self._with_ids), *places)
            # JSON escapes NUL in texts, so that it stands nowhere else.
            answer = answer.replace(b"%", b"%%").replace(b"\0", b"%b")
            self._popular[k] = answer, NotedList.of(ranking.items[0], is_fallback=True)
        answer, noted = self._popular[k]
        return answer % named, FALLBACK, noted

    def _template(self, source: str, k: int) -> bytes:
        version = to_json(self.model.version).replace(b"%", b"%%")
        version += b',"recommendation_id":"%b"' if self._with_ids else b""
        places = b"},".join(b'{"rank":%d,%%b,"score":%%b' % rank for rank in range(1, k + 1))
        return b'{"user_id":"%%b","model_version":%b,"source":"%b","items":[%b}]}' % (version, source.encode(), places)


def score_texts(scores: Sequence[float]) -> list[bytes]:
    """The scores as `to_json` writes them, which takes four times as long."""
    text = pydantic_core.to_json(scores)
    if b"e" in text or b"0.0000" in text:  # the two spell only such numbers differently
        text = to_json(scores)
    return text[1:-1].split(b",")
