"""Creates the MLflow server's users, with passwords from the environment: `python -m deploy.mlflow_users`.

MLFLOW_USERS names the users, separated by commas; API_PASSWORD holds the password of `api`. It runs at every start of
the deployment, and sets the password of users that exist already.
"""

import os
import sys

from mlflow.exceptions import MlflowException
from mlflow.server.auth.client import AuthServiceClient

ABSENT = "RESOURCE_DOES_NOT_EXIST"


def main() -> None:
    """Create or update every user, as the administrator that MLFLOW_TRACKING_USERNAME names."""
    client = AuthServiceClient(os.environ["MLFLOW_TRACKING_URI"])
    for name in os.environ["MLFLOW_USERS"].split(","):
        try:
            outcome = _ensure(client, name, os.environ[f"{name.upper()}_PASSWORD"])
        except MlflowException as error:
            sys.exit(f"The MLflow user {name} could not be created: {error}")
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
    return "exists, password set"


if __name__ == "__main__":
    main()
