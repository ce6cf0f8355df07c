#!/bin/sh
# Replace MLflow's database and artifacts by those of a backup.
# usage: restore.sh FOLDER
set -eu
folder=${1:-}
[ -s "$folder/mlflow.dump" ] && [ -s "$folder/artifacts.tar" ] || { echo "usage: restore.sh FOLDER (a folder that backup.sh has written)" >&2; exit 2; }

in_postgres() { docker compose exec -T postgres "$@"; }
in_mlflow() { docker compose run --rm -T --no-deps mlflow "$@"; }
damaged() { echo "$folder/$1 is damaged: nothing was changed." >&2; exit 1; }

docker compose up --detach --wait postgres
# Read the whole backup before replacing anything.
in_mlflow tar --list <"$folder/artifacts.tar" >/dev/null || damaged artifacts.tar
in_postgres dropdb --username=mlflow --maintenance-db=postgres --if-exists restored
in_postgres createdb --username=mlflow --maintenance-db=postgres restored
in_postgres pg_restore --username=mlflow --dbname=restored --exit-on-error <"$folder/mlflow.dump" || damaged mlflow.dump

docker compose stop mlflow
in_postgres dropdb --username=mlflow --maintenance-db=postgres --force --if-exists mlflow
in_postgres psql --username=mlflow --dbname=postgres --quiet --command='ALTER DATABASE restored RENAME TO mlflow'
in_mlflow tar --directory=/artifacts --extract --overwrite <"$folder/artifacts.tar"
docker compose up --detach --wait mlflow
echo "Restored $folder; the service follows at its next poll."
