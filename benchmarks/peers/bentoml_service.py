"""BentoML: `bentoml serve benchmarks.peers.bentoml_service:Recommendations`."""

from typing import Any

import bentoml  # type: ignore[import-not-found,unused-ignore]

from benchmarks.peers.job import Job


@bentoml.service(workers=1)  # type: ignore[untyped-decorator,unused-ignore]
class Recommendations:
    """One worker process."""

    def __init__(self) -> None:
        self.job = Job()

    @bentoml.api  # type: ignore[untyped-decorator,unused-ignore]
    def recommend(self, user_id: int) -> dict[str, Any]:
        """POST /recommend."""
        return self.job.answer(user_id)
