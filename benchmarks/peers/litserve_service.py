"""LitServe: `python -m benchmarks.peers.litserve_service PORT`."""

import sys
from typing import Any

import litserve  # type: ignore[import-not-found,unused-ignore]

from benchmarks.peers.job import Job


class Recommendations(litserve.LitAPI):  # type: ignore[misc,unused-ignore]
    """POST /predict."""

    def setup(self, device: str) -> None:
        """Map the artifact."""
        self.job = Job()

    def decode_request(self, request: dict[str, int]) -> int:
        """The user's id."""
        return request["user_id"]

    def predict(self, user_id: int) -> dict[str, Any]:
        """Rank."""
        return self.job.answer(user_id)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """JSON as it is."""
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Recommendations(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False)
