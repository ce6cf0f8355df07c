#!/bin/sh
# Replace MLflow's database and artifacts, and the database of events if the backup has one, by those of a backup.
# usage: restore.sh FOLDER
set -eu
folder=${1:-}
[ -s "$folder/mlflow.dump" ] && [ -s "$folder/artifacts.tar" ] || { echo "usage: restore.sh FOLDER (a folder that backup.sh has written)" >&2; exit 2; }

in_postgres() { docker compose exec -T postgres "$@"; }
sql() { in_postgres psql --username=mlflow --dbname="$1" --quiet --set=ON_ERROR_STOP=1 --command="$2"; }
in_mlflow() { docker compose run --rm -T --no-deps mlflow "$@"; }
make_events() { docker compose run --rm -T --no-deps events-database; }
damaged() { echo "$folder/$1 is damaged: nothing was changed." >&2; exit 1; }

docker compose up --detach --wait postgres
# Read the whole backup before replacing anything.
in_mlflow tar --list <"$folder/artifacts.tar" >/dev/null || damaged artifacts.tar
in_postgres dropdb --username=mlflow --maintenance-db=postgres --if-exists restored
in_postgres createdb --username=mlflow --maintenance-db=postgres restored
# Else the roles of events may enter it.
sql restored 'REVOKE ALL ON DATABASE restored FROM PUBLIC'
in_postgres pg_restore --username=mlflow --dbname=restored --exit-on-error <"$folder/mlflow.dump" || damaged mlflow.dump
if [ -e "$folder/events.dump" ]; then
	# A dump holds neither the roles, nor who may enter the database.
	make_events
	in_postgres dropdb --username=mlflow --maintenance-db=postgres --if-exists restored_events
	in_postgres createdb --username=mlflow --maintenance-db=postgres --template=template0 --owner=events_owner restored_events
	in_postgres pg_restore --username=mlflow --dbname=restored_events --exit-on-error <"$folder/events.dump" || damaged events.dump
	# Positions go on from those of the backup, so they mean other events than those that models have learned from.
	sql restored_events 'UPDATE store SET id = gen_random_uuid()'
fi

docker compose stop mlflow
in_postgres dropdb --username=mlflow --maintenance-db=postgres --force --if-exists mlflow
sql postgres 'ALTER DATABASE restored RENAME TO mlflow'
if [ -e "$folder/events.dump" ]; then
	in_postgres dropdb --username=mlflow --maintenance-db=postgres --force --if-exists events
	sql postgres 'ALTER DATABASE restored_events RENAME TO events'
	make_events
fi
in_mlflow tar --directory=/artifacts --extract --overwrite <"$folder/artifacts.tar"
docker compose up --detach --wait mlflow
echo "Restored $folder; the service follows at its next poll."
