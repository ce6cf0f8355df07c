#!/bin/sh
# Refuse a password in a .env that Compose, a shell, an address of a database or an S3 client would read in another way.
# usage: passwords.sh FILE
set -eu
names=$(sed -n 's/^\([A-Z0-9_]*\)=$/\1/p' "$(dirname "$0")/../.env.example" | paste -s -d '|' -)
wrong=$(grep -sE "^($names)=.*[^A-Za-z0-9_-]" "$1" | cut -d = -f 1 | paste -s -d ' ' -)
[ -z "$wrong" ] || {
	echo "$1: $wrong: a password may hold letters, digits, - and _, and no quotes around them: choose another." >&2
	exit 1
}
