#!/bin/sh
# Look up known vulnerabilities of every version that the lock files pin.
set -eu
service=https://api.osv.dev
if ! python -c "import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=10)" "$service/v1/vulns/GHSA-462w-v97r-4m45" 2>/dev/null; then
	echo "The advisories of $service can't be reached from here: nothing was audited." >&2
	exit 1
fi
for lock in requirements.lock requirements-spark.txt requirements-installers.txt tests/requirements-mlflow2.txt; do
	echo "$lock"
	uv tool run --quiet pip-audit==2.10.1 --vulnerability-service osv --no-deps --disable-pip --requirement "$lock"
done
