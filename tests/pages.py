"""The commands of the documentation, for the tests that run them."""

import re

from tests.processes import PROJECT


def blocks(page: str) -> list[str]:
    """The `sh` blocks of a page, in its order."""
    return re.findall(r"```sh\n(.*?)```", (PROJECT / page).read_text(encoding="utf-8"), flags=re.DOTALL)


def commands(page: str) -> list[str]:
    """The lines of the page's blocks, without remarks; one that ends with a backslash goes on in the next."""
    whole = [re.sub(r" \\\n\s*", " ", block) for block in blocks(page)]
    return [line.partition("  #")[0].strip() for block in whole for line in block.splitlines()]
