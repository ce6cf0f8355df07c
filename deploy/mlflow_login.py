"""Adds users that may only read to the MLflow server's login.

MLflow itself lets every user create experiments and registered models, whatever their permissions on existing ones.
"""

import os

from flask import Response, request
from mlflow.server.auth import authenticate_request_basic_auth
from werkzeug.datastructures import Authorization

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def authenticate() -> Authorization | Response:
    """The user's login, or an answer that refuses; mlflow_auth.ini names it as `authorization_function`.

    The environment variable READ_ONLY_USERS names the users, separated by commas, that may only read.
    """
    login: Authorization | Response = authenticate_request_basic_auth()
    if isinstance(login, Response) or request.method in READING:
        return login
    if login.username in os.environ.get("READ_ONLY_USERS", "").split(","):
        return Response(f"{login.username} may only read.", status=403)
    return login
