#!/bin/sh
# Print a Python of version 3.10 to 3.13: the one named as argument, or the first one found.
fits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }
# The name may hold a space.
named=$1
[ -n "$named" ] || set -- python3 python3.13 python3.12 python3.11 python3.10 python
for python in "$@"; do
	if fits "$python"; then
		echo "$python"
		exit 0
	fi
done
found=$("${named:-python3}" --version 2>&1) || found="none"
echo "Python 3.10 to 3.13 is needed, and ${named:-python3} is: $found. Install one, or name it: make PYTHON=/path/to/python3.12 …" >&2
exit 1
