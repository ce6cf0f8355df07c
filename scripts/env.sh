#!/bin/sh
# Write .env for docker-compose.yml: a copy of .env.example with a random password in each empty variable.
# To a .env that exists it adds those that it lacks, such as after an update of this project.
# usage: env.sh [FOLDER]
set -eu
scripts=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}"
umask 077
random() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

if [ ! -e .env ]; then
	while IFS= read -r line; do
		case $line in
		[!#]*=) echo "$line$(random)" ;;
		*) echo "$line" ;;
		esac
	done <.env.example >.env
	echo "Wrote .env; next: make up, or sh scripts/upgrade.sh"
	exit
fi
sh "$scripts/passwords.sh" .env
missing=
for name in $(sed -n 's/^\([A-Z0-9_]*\)=$/\1/p' .env.example); do
	grep -q "^$name=" .env || missing="$missing $name"
done
if [ -z "$missing" ]; then
	echo ".env exists already, and its passwords may be in use: edit it, or move it away first." >&2
	exit 1
fi
# The last line may have no end.
[ -z "$(tail -c 1 .env)" ] || echo >>.env
for name in $missing; do
	echo "$name=$(random)"
done >>.env
echo "Added to .env:$missing"
