#!/bin/sh
# Put back what backup.sh has copied, in place of what is there.
# usage: restore.sh FOLDER
set -eu
[ -s "${1:-}/mlflow.dump" ] && [ -s "$1/artifacts.tar" ] || { echo "usage: restore.sh FOLDER, one that backup.sh has written" >&2; exit 2; }
docker compose stop mlflow
docker compose up --detach --wait postgres
docker compose exec -T postgres dropdb --username=mlflow --maintenance-db=postgres --force --if-exists mlflow
docker compose exec -T postgres createdb --username=mlflow --maintenance-db=postgres mlflow
docker compose exec -T postgres pg_restore --username=mlflow --dbname=mlflow --exit-on-error <"$1/mlflow.dump"
docker compose run --rm -T --no-deps mlflow tar --directory=/artifacts --extract --overwrite <"$1/artifacts.tar"
docker compose up --detach --wait mlflow
echo "Restored $1; the service follows within a poll."
