#!/bin/sh
# Check, before anything is installed, that this machine has all it needs; else say in one sentence what is missing.
# usage: preflight.sh PYTHON [PORT MLFLOW_PORT]; with an empty PYTHON it finds one.
set -eu
here=$(dirname "$0")
python=$(sh "$here/python.sh" "$1")

fail() { echo "$1" >&2; exit 1; }

"$python" -c 'import ensurepip, venv' 2>/dev/null ||
	fail "$python has no venv module: install it (Debian, Ubuntu: apt install python3-venv)."
if [ ! -e .venv/installed ]; then
	command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ||
		fail "No C compiler was found, and LightFM is compiled on this machine: install one (Debian, Ubuntu: apt install gcc; macOS: xcode-select --install)."
	"$python" -c 'import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' ||
		fail "The headers of $python are missing, and LightFM is compiled against them: install them (Debian, Ubuntu: apt install python3-dev)."
fi
[ $# -lt 3 ] || "$python" "$here/ports.py" PORT "$2" MLFLOW_PORT "$3"
