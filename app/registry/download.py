"""Downloads the files of a model version with MLflow's client, in a process of its own.

    python -m app.registry.download ARTIFACT_URI DIRECTORY

MLFLOW_TRACKING_URI names the server. The last line of the output is JSON: {"directory": "…"}, or {"missing": true}
if there are no files, or {"failed": "why", "errno": 28}, the number null if the system has not caused it.
"""

import json
import sys

MAX_REASON = 300


def main() -> None:
    """Download the files and print the outcome."""
    uri, directory = sys.argv[1:]
    try:
        answer = _download(uri, directory)
    except Exception as error:
        # MLflow lets through the errors of its parts: requests, json, urllib3, storage clients.
        failed = {"failed": in_one_line(error), "errno": getattr(innermost(error), "errno", None)}
        answer = {"missing": True} if _is_absent(error) else failed
    sys.stdout.write(f"\n{json.dumps(answer)}\n")


def in_one_line(problem: BaseException | str) -> str:
    """The problem in one line: the innermost error, because MLflow wraps a refused connection four times."""
    problem = innermost(problem)
    return " ".join((str(problem) or type(problem).__name__).split())[:MAX_REASON]


def innermost(problem: BaseException | str) -> BaseException | str:
    """The error that all others wrap."""
    while isinstance(inner := _inner(problem), BaseException):
        problem = inner
    return problem


def _inner(problem: BaseException | str) -> object:
    if isinstance(problem, str):
        return None
    return problem.__cause__ or problem.__context__ or getattr(problem, "reason", None)


def _download(uri: str, directory: str) -> dict[str, object]:
    # Imported here, because in_one_line must not cost the import of MLflow.
    import mlflow

    # For an absent directory some stores list nothing, and others raise errors in their own words.
    if not mlflow.artifacts.list_artifacts(artifact_uri=uri):
        return {"missing": True}
    return {"directory": mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=directory)}


def _is_absent(error: Exception) -> bool:
    return getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST"


if __name__ == "__main__":
    main()
