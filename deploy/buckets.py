"""Make the buckets that BUCKETS names, separated by commas, once the S3 store answers: `python -m deploy.buckets`."""

import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PATIENCE = Config(retries={"total_max_attempts": 10, "mode": "standard"})
PRESENT = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


def main() -> None:
    """Make them; the store's address and keys are in AWS' own variables."""
    client = boto3.client("s3", config=PATIENCE)
    for name in os.environ["BUCKETS"].split(","):
        try:
            client.create_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in PRESENT:
                sys.exit(f"The bucket {name} could not be made: {error}")
        except BotoCoreError as error:
            sys.exit(f"The bucket {name} could not be made: {error}")
        sys.stdout.write(f"bucket {name}: there\n")


if __name__ == "__main__":
    main()
