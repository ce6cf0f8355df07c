#!/bin/sh
# Replace the replicas of the service by ones of the present code and settings, without a pause: the new ones first.
# usage: upgrade.sh
set -eu
PATIENCE_SECONDS=120
docker compose build api
old=$(docker compose ps --quiet api)
[ -n "$old" ] || { echo "No replica runs: docker compose up --detach --wait starts them." >&2; exit 1; }

remove_new() {
	for replica in $(docker compose ps --all --quiet api); do
		case $old in
		*"$replica"*) ;;
		*) docker logs --tail 3 "$replica" >&2 && docker rm --force "$replica" >/dev/null ;;
		esac
	done
	echo "The new replicas did not get ready and are removed again; the old ones serve on. Above is what the new ones said." >&2
	exit 1
}

all=$(($(echo "$old" | wc -l) * 2))
docker compose up --detach --wait --wait-timeout "$PATIENCE_SECONDS" --no-deps --no-recreate --scale "api=$all" api || remove_new
echo "$old" | xargs docker stop --time 40
echo "$old" | xargs docker rm
