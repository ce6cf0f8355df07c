#!/bin/sh
# Replace the replicas of the service by ones of the present code and settings, without a pause: the new ones first.
# usage: upgrade.sh
set -eu
docker compose build api
old=$(docker compose ps --quiet api)
[ -n "$old" ] || { echo "No replica runs: docker compose up --detach --wait starts them." >&2; exit 1; }
all=$(($(echo "$old" | wc -l) * 2))
docker compose up --detach --wait --no-deps --no-recreate --scale "api=$all" api
# Not quoted: one id a word.
docker stop --time 40 $old
docker rm $old
