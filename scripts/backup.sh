#!/bin/sh
# Copy MLflow's database and artifacts, and the database of events, into a new folder.
# usage: backup.sh FOLDER
set -eu
[ $# -eq 1 ] || { echo "usage: backup.sh FOLDER" >&2; exit 2; }
folder=${1%/}
[ ! -e "$folder" ] || { echo "$folder exists already: name a new folder." >&2; exit 1; }
umask 077
# An interrupted backup keeps this name, so that it is not taken for a whole one.
partial=$folder.partial
rm -rf "$partial"
mkdir -p "$partial"
# Copy the database first: every artifact that it names exists when the artifacts are copied.
docker compose exec -T postgres pg_dump --username=mlflow --format=custom mlflow >"$partial/mlflow.dump"
docker compose run --rm -T --no-deps mlflow tar --directory=/artifacts --create . >"$partial/artifacts.tar"
docker compose exec -T postgres pg_dump --username=mlflow --format=custom events >"$partial/events.dump"
mv "$partial" "$folder"
echo "Wrote $folder: $(du -sh "$folder" | cut -f1)"
