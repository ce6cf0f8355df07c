"""The versions that this process has loaded: that of the alias which it serves, and one on trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contract.alias import CHALLENGER
from app.errors import AliasNotLoadedError
from app.model.store import ServedModel
from app.registry.follower import Follower
from app.registry.target import Target


@dataclass(frozen=True)
class Followed:
    """An alias that is followed; None for a folder."""

    alias: str | None
    follower: Follower

    @property
    def current(self) -> ServedModel | None:
        """The loaded version."""
        return self.follower.store.current

    def target(self, model: ServedModel) -> Target | None:
        """What the registry says of this model's version; None if the last poll found no version or another one."""
        target = self.follower.state.target
        return target if target is not None and target.registered == model.registered else None


class LoadedVersions:
    """All aliases that are followed, the served one first."""

    def __init__(self, followed: Sequence[Followed]) -> None:
        self.followed = tuple(followed)

    def named(self, alias: str) -> ServedModel:
        """The version with this alias, in upper or lower case; raises AliasNotLoadedError."""
        found = {each.alias: model for each in self.followed if each.alias and (model := each.current)}
        model = found.get(alias.lower())
        if model is None:
            loaded = ", ".join(found) or "none"
            raise AliasNotLoadedError(
                f"No version with the alias {alias[:80]!r} is loaded; loaded: {loaded}. TRIAL_SHARE=0 loads that of "
                f"the alias {CHALLENGER}.",
                field="alias",
            )
        return model
