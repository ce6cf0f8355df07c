#!/bin/sh
# Write the digests that the tags of the base images have now into .env; the next upgrade takes them.
# usage: digests.sh [FOLDER]
set -eu
cd "${1:-.}"
: <.env
pinned=$(sed -n 's/^#\([A-Z0-9]*_IMAGE\)=/\1 /p' .env.example | while read -r name default; do
	image=$(sed -n "s/^$name=\([^@]*\).*/\1/p" .env | tail -n 1)
	digest=$(docker buildx imagetools inspect --format '{{print .Manifest.Digest}}' "${image:-$default}" </dev/null)
	echo "$name=${image:-$default}@$digest"
done)
names=$(echo "$pinned" | cut -d = -f 1 | paste -s -d '|' -)
others=$(grep -vE "^($names)=" .env)
printf '%s\n' "$others" "$pinned" >.env
echo "$pinned"
