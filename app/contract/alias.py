"""Which version an alias names, however the alias is spelled."""

from collections.abc import Mapping
from typing import NamedTuple

PRODUCTION = "production"
CHALLENGER = "challenger"
PREVIOUS = "previous"  # the version that was live before
SEEN_LIVE = "seen_live"  # a tag of the model: the version that was live when a program of ours last looked


class AliasedVersion(NamedTuple):
    """The version that an alias names, and a warning if two spellings of the alias disagree."""

    version: str
    warning: str | None


def resolve_alias(aliases: Mapping[str, str], alias: str) -> AliasedVersion | None:
    """The version with the alias in any spelling; None if no version has it.

    `aliases` maps each spelling to a version. The lower-case spelling wins, then the first in code point order:
    MLflow's web page lower-cases what a person types and its API does not, so `Production` and `production` can
    be on different versions. The lower-case one is what a person last clicked.
    """
    spellings = {spelled: str(version) for spelled, version in aliases.items() if spelled.lower() == alias.lower()}
    if not spellings:
        return None
    chosen = alias.lower() if alias.lower() in spellings else min(spellings)
    if len(set(spellings.values())) == 1:
        return AliasedVersion(spellings[chosen], None)
    found = ", ".join(f"{spelled!r} on version {version}" for spelled, version in sorted(spellings.items()))
    return AliasedVersion(
        spellings[chosen], f"The alias exists in several spellings ({found}); {chosen!r} is followed."
    )
