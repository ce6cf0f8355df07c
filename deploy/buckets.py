"""Creates the buckets that BUCKETS names, separated by commas, once S3 answers: `python -m deploy.buckets`."""

import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PATIENCE = Config(retries={"total_max_attempts": 10, "mode": "standard"})
PRESENT = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


def main() -> None:
    """Create the buckets; AWS' own variables hold the store's address, region and keys."""
    client = boto3.client("s3", config=PATIENCE)
    region = client.meta.region_name
    # S3 wants every region but its first one named, and refuses the name of the first one.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    for name in os.environ["BUCKETS"].split(","):
        try:
            client.create_bucket(Bucket=name, **place)
        except ClientError as error:
            if error.response["Error"]["Code"] not in PRESENT:
                sys.exit(f"The bucket {name} could not be created: {error}")
        except BotoCoreError as error:
            sys.exit(f"The bucket {name} could not be created: {error}")
        sys.stdout.write(f"bucket {name}: exists\n")


if __name__ == "__main__":
    main()
