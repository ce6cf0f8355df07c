#!/bin/sh
# Copy what MLflow knows and keeps, its database and its artifacts, into a new folder.
# usage: backup.sh FOLDER
set -eu
[ $# -eq 1 ] || { echo "usage: backup.sh FOLDER" >&2; exit 2; }
folder=${1%/}
[ ! -e "$folder" ] || { echo "$folder is there already: name a new folder." >&2; exit 1; }
umask 077
# A backup that was interrupted has another name than one that is whole.
partial=$folder.partial
rm -rf "$partial"
mkdir -p "$partial"
# The database first: whatever it names is in the artifacts that are copied after it.
docker compose exec -T postgres pg_dump --username=mlflow --format=custom mlflow >"$partial/mlflow.dump"
docker compose run --rm -T --no-deps mlflow tar --directory=/artifacts --create . >"$partial/artifacts.tar"
mv "$partial" "$folder"
echo "Wrote $folder: $(du -sh "$folder" | cut -f1)"
