#!/bin/sh
# Make a virtual environment and install what lock files pin, if its hashes are theirs.
# usage: install.sh PYTHON FOLDER LOCK...
set -eu
python=$(sh "$(dirname "$0")/python.sh" "$1")
folder=$2
shift 2
echo "Installing $* into $folder (once; takes a minute or two)"
# If its creation was interrupted, the environment has a Python but no pip.
"$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-installers.txt
for lock in "$@"; do
	"$folder/bin/python" -m uv pip install --python "$folder/bin/python" --require-hashes --requirement "$lock"
done
# Without a .git folder DVC works only if its configuration says so.
if [ -x "$folder/bin/dvc" ]; then
	if [ -e .git ]; then no_scm=false; else no_scm=true; fi
	"$folder/bin/python" -m dvc config --local core.no_scm $no_scm
fi
touch "$folder/installed"
