#!/bin/sh
# Copy what MLflow knows and keeps, its database and its artifacts, into a new folder.
# usage: backup.sh FOLDER
set -eu
[ $# -eq 1 ] || { echo "usage: backup.sh FOLDER" >&2; exit 2; }
umask 077
mkdir "$1"
# The database first: whatever it names is in the artifacts that are copied after it.
docker compose exec -T postgres pg_dump --username=mlflow --format=custom mlflow >"$1/mlflow.dump"
docker compose run --rm -T --no-deps mlflow tar --directory=/artifacts --create . >"$1/artifacts.tar"
echo "Wrote $1: $(du -sh "$1" | cut -f1)"
