#!/bin/sh
# Make a virtual environment and install pinned requirements into it.
# usage: install.sh PYTHON FOLDER UV REQUIREMENTS
set -eu
python=$(sh "$(dirname "$0")/python.sh" "$1")
folder=$2
echo "Installing $4 into $folder (once; takes a minute or two)"
# If its creation was interrupted, the environment has a Python but no pip.
"$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$3"
"$folder/bin/python" -m uv pip install --python "$folder/bin/python" --requirement "$4"
# Without a .git folder DVC works only if its configuration says so.
if [ -x "$folder/bin/dvc" ]; then
	if [ -e .git ]; then no_scm=false; else no_scm=true; fi
	"$folder/bin/python" -m dvc config --local core.no_scm $no_scm
fi
touch "$folder/installed"
