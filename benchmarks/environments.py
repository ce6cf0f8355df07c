"""Where the benchmarks keep things, and the peers' virtual environments, made again where requirements change."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CACHE = PROJECT / ".cache" / "benchmarks"
PEERS = PROJECT / "benchmarks" / "peers"
PINNED = (PROJECT / "requirements.lock", PROJECT / "app" / "requirements.txt")
STAMP = "installed"


def environment(name: str) -> Path:
    """The `bin` folder of the environment of benchmarks/peers/<name>.txt; exits with a sentence if that fails."""
    requirements = PEERS / f"{name}.txt"
    folder = CACHE / "environments" / name
    if not (folder / STAMP).exists() or (folder / STAMP).read_text() != _fingerprint(requirements):
        print(f"Installing {requirements} into {folder} (once)", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run("-m", "venv", str(folder))
        _run("-m", "uv", "pip", "install", "--quiet", "--python", str(folder), "--requirement", str(requirements))
        (folder / STAMP).write_text(_fingerprint(requirements))
    return folder / "bin"


def _fingerprint(requirements: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in (requirements, *PINNED))).hexdigest()


def _run(*arguments: str) -> None:
    if subprocess.run([sys.executable, *arguments], check=False).returncode:
        sys.exit(f"python {' '.join(arguments)} failed, see above; the package index must be reachable")
