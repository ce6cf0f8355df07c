"""Give the MLflow server its users, each with the password in the environment: `python -m deploy.mlflow_users`.

MLFLOW_USERS names them, separated by commas; the password of `api` is in API_PASSWORD. Runs at every start of the
deployment: a user who is there gets the password that the environment says now.
"""

import os
import sys

from mlflow.exceptions import MlflowException
from mlflow.server.auth.client import AuthServiceClient

ABSENT = "RESOURCE_DOES_NOT_EXIST"


def main() -> None:
    """Make or update every user, as the administrator of MLFLOW_TRACKING_USERNAME."""
    client = AuthServiceClient(os.environ["MLFLOW_TRACKING_URI"])
    for name in os.environ["MLFLOW_USERS"].split(","):
        try:
            outcome = _ensure(client, name, os.environ[f"{name.upper()}_PASSWORD"])
        except MlflowException as error:
            sys.exit(f"The MLflow user {name} could not be made: {error}")
        sys.stdout.write(f"MLflow user {name}: {outcome}\n")


def _ensure(client: AuthServiceClient, name: str, password: str) -> str:
    try:
        client.get_user(name)
    except MlflowException as error:
        if error.error_code != ABSENT:
            raise
        client.create_user(name, password)
        return "created"
    client.update_user_password(name, password)
    return "there, password set"


if __name__ == "__main__":
    main()
