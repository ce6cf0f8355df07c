#!/bin/sh
# Write .env for docker-compose.yml: a copy of .env.example with a random password in each empty variable.
# usage: env.sh [FOLDER]
set -eu
cd "${1:-.}"
if [ -e .env ]; then
	echo ".env exists already, and its passwords may be in use: edit it, or move it away first." >&2
	exit 1
fi
umask 077
while IFS= read -r line; do
	case $line in
	[!#]*=) echo "$line$(od -An -N 24 -tx1 /dev/urandom | tr -d ' \n')" ;;
	*) echo "$line" ;;
	esac
done <.env.example >.env
echo "Wrote .env; next: docker compose up --detach --build --wait"
