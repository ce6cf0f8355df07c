#!/bin/sh
# Write what docker-compose.yml needs and isn't there yet: the settings in .env, random passwords and keys in secrets/.
# A password or key in .env moves to secrets/.
# usage: env.sh [FOLDER]
set -eu
cd "${1:-.}"
umask 077
random() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

if [ ! -e .env ]; then
	cp .env.example .env
	echo "Wrote .env"
fi
mkdir -p secrets
names=$(sed -n 's|.*{file: secrets/\(.*\)}|\1|p' docker-compose.yml)
for name in $names; do
	value=
	if grep -q "^$name=" .env; then
		value=$(sed -n "s/^$name=//p" .env | tail -n 1)
		case $value in *[\"\'\\\$\#\ ]*)
			echo ".env: $name: write its value to secrets/$name as it is, without quotes, and delete the line." >&2
			exit 1
		esac
	elif [ -e "secrets/$name" ]; then
		continue
	elif [ "$name" != ADMIN_TOKEN ] && [ "${name%_KEYS}" = "$name" ]; then
		value=$(random)
	fi
	printf '%s' "$value" >"secrets/$name"
	# The folder keeps others out; users of containers may read the files that Docker gives them.
	chmod 644 "secrets/$name"
	echo "Wrote secrets/$name"
done
others=$(grep -vE "^($(echo "$names" | paste -s -d '|' -))=" .env || true)
[ "$others" = "$(cat .env)" ] || echo "$others" >.env
