"""The commands that docs/deployment.md gives, and how a person types them."""

import re

from tests.compose.deployment import Deployment
from tests.processes import PROJECT

PAGE = PROJECT / "docs" / "deployment.md"


def ways(goal: str) -> list[str]:
    """The commands that the page's list gives for a goal."""
    text = PAGE.read_text(encoding="utf-8")
    [way] = re.findall(rf"^\* \*\*{re.escape(goal)}:\*\*(.*(?:\n  .*)*)", text, re.MULTILINE)
    return [part for part in re.findall(r"`([^`]+)`", way) if part.startswith(("make up", "sh ", "docker ", "for "))]


def do(deployment: Deployment, *lines: str) -> str:
    """Run commands as a person types them; each must succeed. Returns what the last one prints."""
    said = ""
    for line in lines:
        done = deployment.shell(line)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        said = done.stdout
    return said
