"""Downloads the files of a model version with MLflow's client, in a process of its own.

    python -m app.registry.download ARTIFACT_URI DIRECTORY

MLFLOW_TRACKING_URI names the server. The last line of the output is JSON: {"directory": "…"}, or {"missing": true}
if there are no files, or {"failed": "why", "errno": 28}, the number null if the system has not caused it.
"""

import json
import sys


def main() -> None:
    """Download the files and print the outcome."""
    uri, directory = sys.argv[1:]
    try:
        answer = _download(uri, directory)
    except Exception as error:
        # MLflow lets through the errors of its parts: requests, json, urllib3, storage clients.
        failed = {"failed": in_our_words(error), "errno": getattr(innermost(error), "errno", None)}
        is_absent = getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST"
        answer = {"missing": True} if is_absent else failed
    sys.stdout.write(f"\n{json.dumps(answer)}\n")


def in_our_words(error: BaseException) -> str:
    """What went wrong: the system's message if it caused the innermost error, else the error's type.

    Other texts of an error may quote what was sent, such as a password, or whatever was answered.
    """
    error = innermost(error)
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.errno is not None:
        return str(error.strerror)
    return type(error).__name__


def innermost(error: BaseException) -> BaseException:
    """The error that all others wrap: MLflow wraps a refused connection four times."""
    while isinstance(inner := error.__cause__ or error.__context__ or getattr(error, "reason", None), BaseException):
        error = inner
    return error


def _download(uri: str, directory: str) -> dict[str, object]:
    # Imported here, because in_our_words must not cost the import of MLflow.
    import mlflow

    # For an absent directory some stores list nothing, and others raise errors in their own words.
    if not mlflow.artifacts.list_artifacts(artifact_uri=uri):
        return {"missing": True}
    return {"directory": mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=directory)}


if __name__ == "__main__":
    main()
