#!/bin/sh
# Run a stage with the Python that runs DVC, so that its environment need not be activated.
# usage: stage.sh STAGE [CANDIDATE]
set -eu
# Between DVC and this script there may be a shell. Where there is no /proc, the Python of PATH is taken.
python=python pid=$PPID
while [ -r "/proc/$pid/cmdline" ]; do
	program=$(tr '\0' '\n' <"/proc/$pid/cmdline" | head -n 1)
	case ${program##*/} in python*) command -v "$program" >/dev/null && python=$program && break ;; esac
	pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
done
exec "$python" -m training "$@"
