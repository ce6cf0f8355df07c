#!/bin/sh
# Replace the replicas of the service by new ones with the present code and settings, without a pause.
# usage: upgrade.sh
set -eu
PATIENCE_SECONDS=120
docker compose build api events-database
# The tables first: the old replicas can use newer ones, and the new ones need them. In a deployment that had no events
# yet, PostgreSQL gets onto their network.
docker compose up --detach --wait postgres
docker compose run --rm -T --no-deps events-database
old=$(docker compose ps --quiet api)
[ -n "$old" ] || { echo "No replica is running: start them with docker compose up --detach --wait." >&2; exit 1; }

remove_new() {
	for replica in $(docker compose ps --all --quiet api); do
		case $old in
		*"$replica"*) ;;
		*) docker logs --tail 3 "$replica" >&2 && docker rm --force "$replica" >/dev/null ;;
		esac
	done
	echo "The new replicas did not become ready and are removed; the old ones go on serving. Their last log lines are above." >&2
	exit 1
}

all=$(($(echo "$old" | wc -l) * 2))
docker compose up --detach --wait --wait-timeout "$PATIENCE_SECONDS" --no-deps --no-recreate --scale "api=$all" api || remove_new
echo "$old" | xargs docker stop --time 40
echo "$old" | xargs docker rm
