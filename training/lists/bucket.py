"""The lists of a bucket of users, as a table."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.contract.item_matrix import Mask, Rows
from app.contract.ranking import NO_ITEM, Ranking
from app.contract.recommender import Recommender
from app.contract.rules import Rules
from app.contract.similarity import Similarity
from app.contract.trends import trends_of
from training.data.dataset import ITEM_ID, USER_ID
from training.evaluation.ranking import in_blocks
from training.files import replacing

USERS_PER_BUCKET = 10_000
DECIMALS = 6  # of a score, as the service shows it and as a ready list has it


@dataclass(frozen=True)
class Lists:
    """The first k unseen items of every user of a model, among those that `allowed`, bool (n_items,), marks.

    With `rules` they are ranked by those of a placement.
    """

    recommender: Recommender
    version: str
    k: int
    allowed: Mask | None
    rules: Rules | None = None

    @property
    def n_buckets(self) -> int:
        """How many buckets hold all users."""
        return -(-self.recommender.n_users // USERS_PER_BUCKET)

    def write(self, bucket: int, folder: Path) -> None:
        """Write a bucket's file, whole or not at all; the same model gives the same bytes."""
        start = bucket * USERS_PER_BUCKET
        rows = np.arange(start, min(start + USERS_PER_BUCKET, self.recommender.n_users))
        n_items = self.recommender.n_items
        tables = in_blocks(len(rows), n_items, lambda block: self.table(rows[block]), progress=False)
        with replacing(folder / file_name(bucket)) as partial:
            pq.write_table(pa.concat_tables(tables), partial, compression="zstd")

    def table(self, user_rows: Rows) -> pa.Table:
        """A row for each user and rank: user_id, rank from 1, item_id, score with six decimals, model_version."""
        artifact, ranking = self.recommender.artifact, self.ranking(user_rows)
        places, ranks = np.nonzero(ranking.items != NO_ITEM)
        columns = {
            USER_ID: artifact.user_ids[user_rows[places]],
            "rank": (ranks + 1).astype(np.int32),
            ITEM_ID: artifact.item_ids[ranking.items[places, ranks]],
            "score": ranking.scores[places, ranks].round(DECIMALS),
        }
        return pa.table(columns).append_column("model_version", pa.repeat(self.version, len(places)))

    def ranking(self, user_rows: Rows) -> Ranking:
        """The lists, (n_users, k): from ready lists where they are long enough, or by rules, else ranked."""
        k = min(self.k, self.recommender.n_items)
        ranking = Ranking(np.full((len(user_rows), k), NO_ITEM), np.full((len(user_rows), k), -np.inf))
        too_short = []
        for place, row in enumerate(user_rows.tolist()):
            found = self._one(row, k)
            if found is None:
                too_short.append(place)
            else:
                ranking.items[place, : found.items.shape[1]] = found.items[0]
                ranking.scores[place, : found.scores.shape[1]] = found.scores[0]
        if too_short:
            ranked = self._ranked(user_rows[too_short], k)
            ranking.items[too_short], ranking.scores[too_short] = ranked.items, ranked.scores
        return ranking

    def _one(self, row: int, k: int) -> Ranking | None:
        """The list of one user, if there is one without ranking for many at once."""
        if self.rules is None:
            return self.recommender.ready_rankings.first(row, k, self.allowed)
        vector = self.recommender.user_vector(row)
        return self.rules.rank(
            self.recommender.scored(vector, self.recommender.seen(row), self.allowed),
            lambda: self.recommender.spread.of(vector),
            k,
            self._similarity,
            diversity=self.rules.placement.diversity,
            is_unknown=not vector.any(),
            trending=lambda: trends_of(self.recommender.artifact)[0].counts.astype(np.float64),
        ).ranking

    @cached_property
    def _similarity(self) -> Similarity:
        return Similarity(self.recommender.artifact)

    def _ranked(self, user_rows: Rows, k: int) -> Ranking:
        scores = self.recommender.scores(user_rows)
        if self.allowed is not None:
            scores += self.recommender.all_items.penalties(self.allowed)
        return self.recommender.select(user_rows, scores, k)


def file_name(bucket: int) -> str:
    """The name of a bucket's file."""
    return f"lists-{bucket:05}.parquet"
