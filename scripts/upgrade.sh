#!/bin/sh
# Start the deployment, or bring it to the present code and settings while it goes on serving.
# usage: upgrade.sh
set -eu
PATIENCE_SECONDS=300
sh scripts/env.sh
# One service of each image.
# shellcheck disable=SC2046
docker compose build $(docker compose config --services | grep -xE 'api|mlflow|spark-master')
# A mistake in nginx.conf or in Prometheus' files ends this here.
docker compose run --rm -T --no-deps gateway -q -t
! docker compose config --services | grep -qx prometheus ||
	docker compose run --rm -T --no-deps --entrypoint promtool prometheus check config /etc/prometheus/prometheus.yml
# Registry and tables first: the old replicas can use newer ones, and the new ones need them.
# shellcheck disable=SC2046
docker compose up --detach --wait $(docker compose config --services | grep -vxE 'api|gateway')

# Compose would start stopped replicas again with their old code, and can't go on where one is paused.
for replica in $(docker compose ps --all --format '{{.State}} {{.ID}}' api | sed -n '/^running/!s/.* //p'); do
	docker rm --force "$replica" >/dev/null
done
old=$(docker compose ps --all --quiet api)
wanted=$(docker compose config api | sed -n 's/^    scale: //p')
new() { docker compose ps --all --quiet api | grep -vxF "$old"; }
# Of each new replica, how often it has ended, and its health.
states() { new | xargs docker inspect --format '{{.RestartCount}} {{.State.Health.Status}}'; }

remove_new() {
	for replica in $(new); do
		docker logs --tail 3 "$replica" >&2 && docker rm --force "$replica" >/dev/null
	done
	echo "The new replicas did not become ready and are removed; the old ones go on serving. Their last log lines are above." >&2
	exit 1
}

all=$(($(echo "$old" | wc -w) + wanted))
docker compose up --detach --no-deps --no-recreate --scale "api=$all" api || remove_new
seconds=0
until [ "$(states | grep -cx '0 healthy')" -eq "$wanted" ]; do
	if [ $((seconds += 1)) -gt "$PATIENCE_SECONDS" ] || states | grep -qv '^0 '; then
		remove_new
	fi
	sleep 1
done
# shellcheck disable=SC2086
[ -z "$old" ] || { docker stop $old && docker rm $old; } >/dev/null

docker compose up --detach --wait --no-deps --remove-orphans gateway
# These read their files again, and keep no client waiting. By `docker kill`, Docker would never start them again if they crash.
for reader in $(docker compose ps --services | grep -xE 'gateway|prometheus'); do
	docker compose exec -T "$reader" sh -c 'kill -HUP 1'
	echo "$reader reads deploy/$reader, $(cat "deploy/$reader"/* | sha256sum | cut -c 1-12)"
done
echo "$wanted new replicas serve."
