"""What the lock files pin is installed only if its bytes are the ones that were locked."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import PROJECT

LOCKS = (
    "requirements.lock", "requirements-installers.txt", "requirements-spark.txt", "tests/requirements-mlflow2.txt",
)  # fmt: skip
PACKAGE = "threadpoolctl"
HASHES = re.compile(r"sha256:[0-9a-f]{64}")


def entries(lock: str) -> dict[str, str]:
    """Each package of a lock file with all that stands there of it, one for each Python at most."""
    text = (PROJECT / lock).read_text(encoding="utf-8")
    return {entry.partition(" \\\n")[0]: entry for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE) if entry}


def install(folder: Path, entry: str, command: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    (folder / "lock.txt").write_text(entry, encoding="utf-8")
    (folder / "names.txt").write_text(f"-c lock.txt\n{PACKAGE}\n", encoding="utf-8")
    options = ["--require-hashes", "--no-deps", "--no-cache-dir", "--target", str(folder / "installed")]
    line = [sys.executable, "-m", *command.split(), *options]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", LOCKS)
def test_each_package_of_a_lock_file_has_hashes(lock: str) -> None:
    found = entries(lock)
    assert found
    assert not [name for name, entry in found.items() if "==" not in name or not HASHES.search(entry)]


@pytest.mark.long
@pytest.mark.parametrize(
    "command", ["pip install -r names.txt", "uv pip install -r lock.txt"], ids=["as images do", "as make does"]
)
def test_a_package_with_other_bytes_than_those_that_were_locked_is_refused(tmp_path: Path, command: str) -> None:
    entry = next(entry for name, entry in entries("requirements.lock").items() if name.startswith(f"{PACKAGE}=="))
    done = install(tmp_path / "same", entry, command)
    if "No matching distribution" in done.stderr or "error sending request" in done.stderr:
        pytest.skip("The package index can't be reached.")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "same" / "installed" / f"{PACKAGE}.py").is_file()

    other = HASHES.sub(lambda found: f"sha256:{found[0][-64:][::-1]}", entry)
    refused = install(tmp_path / "other", other, command)
    assert refused.returncode
    assert re.search(r"do not match the hashes|Hash mismatch", refused.stderr, re.IGNORECASE), refused.stderr
