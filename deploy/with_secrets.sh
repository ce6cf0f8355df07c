#!/bin/sh
# Run a command with each file in /run/secrets as a variable of its name.
# What a container was started with is told by `docker inspect`; a file's content is not.
set -eu
for file in /run/secrets/*; do
	[ -f "$file" ] || continue
	value=$(cat "$file")
	export "$(basename "$file")=$value"
done
exec "$@"
