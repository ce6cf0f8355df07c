"""Whatever a client sends, the service answers as its OpenAPI document says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.app.conftest import offline_settings
from tests.artifacts import make_artifact, write
from tests.client import put_in_cache, serving

CONFIG = Path(__file__).with_suffix(".toml")
EXAMPLES = 60  # random ones for each operation, besides those that go to every limit of every parameter
LEAST_CASES = 1500
PHASES = ["examples", "coverage", "fuzzing", "stateful"]
if sys.version_info < (3, 11):
    # Schemathesis 4.30, the last for Python 3.10, comes to no end in this phase.
    PHASES.remove("stateful")


@pytest.mark.long
@pytest.mark.timeout(1000)
def test_every_answer_is_one_that_the_document_describes(tmp_path: Path) -> None:
    settings = offline_settings(tmp_path).model_copy(
        update={"events_url": SecretStr(f"sqlite:///{tmp_path}/events.db"), "log_level": "ERROR"}
    )
    # It knows the ids of the document's examples, and small numbers, which are tried often.
    artifact = make_artifact(range(-9, 50), range(-300, 1000), seen={row: [row, row + 1] for row in range(59)})
    put_in_cache(settings, write(tmp_path / "served", artifact))
    with serving(settings) as client:
        report = run_schemathesis(f"http://127.0.0.1:{client.port}/openapi.json", tmp_path)
    selected, operations = re.findall(r"(\d+) selected / (\d+) total", report)[0]
    assert selected == operations
    assert f"Tested: {operations}" in report
    generated, passed = re.findall(r"(\d+) generated, (\d+) passed", report)[0]
    assert int(generated) == int(passed) >= LEAST_CASES, report


def run_schemathesis(document: str, directory: Path) -> str:
    """What Schemathesis says, in lines of bearable length; it finds no other settings in the directory."""
    program = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(CONFIG), "run", document]
    options = ["--checks", "all", "--generation-deterministic", "--max-examples", str(EXAMPLES), "--no-color"]
    options += ["--phases", ",".join(PHASES)]
    done = subprocess.run([*program, *options], cwd=directory, capture_output=True, text=True, timeout=900, check=False)
    report = "\n".join(line[:1000] for line in (done.stdout + done.stderr).splitlines())
    assert done.returncode == 0, report
    return report
