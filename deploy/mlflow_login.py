"""The MLflow server's login: MLflow's own, and users that may only read.

To MLflow, everybody who can log in may create experiments and registered models, whatever their permissions on
existing ones.
"""

import os

from flask import Response, request
from mlflow.server.auth import authenticate_request_basic_auth
from werkzeug.datastructures import Authorization

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def authenticate() -> Authorization | Response:
    """Who asks, or an answer that refuses; to be named as `authorization_function`.

    The environment variable READ_ONLY_USERS names users, separated by commas, who get no further than reading.
    """
    who: Authorization | Response = authenticate_request_basic_auth()
    if isinstance(who, Response) or request.method in READING:
        return who
    if who.username in os.environ.get("READ_ONLY_USERS", "").split(","):
        return Response(f"{who.username} may only read.", status=403)
    return who
