"""A trial: some users get the lists of the challenger, and what they then like decides. Both halves share the rules."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from hashlib import sha256
from math import ceil, isfinite

# Tags of the version on trial.
STATE, SINCE, SHARE, SALT, AGAINST = "trial", "trial_since", "trial_share", "trial_salt", "trial_against"
RUNNING = "running"
# What the last look at it found: a sentence; the change in successes a list as a share, and its band.
VERDICT, GAIN = "trial_verdict", ("trial_gain", "trial_gain_low", "trial_gain_high")


class Arm(IntEnum):
    """Whose lists a user gets."""

    PRODUCTION = 0
    CHALLENGER = 1
    NONE = 2  # the list belongs to no trial


ARMS = Arm.PRODUCTION, Arm.CHALLENGER
MOST_LISTS = 10  # of a user and day that count, so that nobody counts for many


class Split(ABC):
    """Divides users into two arms.

    `since` is a time in seconds since 1970. `share`, above 0 and below 1, of all users get the challenger. `salt` is a
    secret: who knows it can make ids of lists that nobody was shown.
    """

    salt: str
    share: float
    since: float

    @property
    @abstractmethod
    def sides(self) -> tuple[str, str]:
        """What the arms get, in words: production, challenger."""

    @cached_property
    def experiment(self) -> str:
        """The name under which exposures are counted; another salt or share makes other groups."""
        return f"{self.salt}@{self.share:.6g}"

    def arm(self, user_id: str) -> Arm:
        """The arm of a user, always the same; a higher share only moves users into the challenger's.

        SHA-256 of salt and id gives each user a place between 0 and 1, and those below the share get the challenger.
        """
        return ARMS[sha256(self._salted + user_id.encode()).digest() < self._bound]

    @cached_property
    def secret(self) -> bytes:
        """The key that seals the ids of the trial's lists."""
        return sha256(f"lists of {self.salt}".encode()).digest()

    @cached_property
    def _salted(self) -> bytes:
        return f"{self.salt}:".encode()

    @cached_property
    def _bound(self) -> bytes:
        return ceil(self.share * 2**64).to_bytes(8, "big")


@dataclass(frozen=True)
class Trial(Split):
    """The version on trial, and the live one that it is compared with; who may read MLflow's tags knows the salt."""

    version: str
    against: str
    salt: str
    share: float
    since: float

    @property
    def sides(self) -> tuple[str, str]:
        """The versions."""
        return f"version {self.against}", f"version {self.version}"

    def tags(self) -> dict[str, str]:
        """What the version on trial says of its trial in MLflow."""
        return {
            SINCE: f"{self.since:.0f}",
            SHARE: f"{self.share:g}",
            SALT: self.salt,
            AGAINST: self.against,
            STATE: RUNNING,
        }


def read_trial(version: str, tags: Mapping[str, str]) -> Trial | None:
    """Read a trial from a version's tags; None if none runs. Raises ValueError if the tags are damaged."""
    if tags.get(STATE) != RUNNING:
        return None
    try:
        trial = Trial(version, tags[AGAINST], tags[SALT], float(tags[SHARE]), float(tags[SINCE]))
    except KeyError as error:
        raise ValueError(f"Version {version} is on trial, but lacks the tag {error}: give it one") from error
    except ValueError as error:
        raise ValueError(
            f"Version {version} is on trial, but {SHARE} or {SINCE} is not a number: correct the tag ({error})"
        ) from error
    if not 0 < trial.share < 1 or not trial.salt:
        raise ValueError(
            f"Version {version} is on trial, but {SHARE} is {tags[SHARE]}, or {SALT} is empty: "
            "the share must be above 0 and below 1, and the salt a text"
        )
    return trial


def gain_tags(ends: tuple[float, float, float] | None) -> dict[str, str]:
    """The tags for a change and its band; empty while too little is known."""
    return dict.fromkeys(GAIN, "") if ends is None else dict(zip(GAIN, (f"{end:.6g}" for end in ends), strict=True))


def read_gain(tags: Mapping[str, str]) -> tuple[float, float, float] | None:
    """The change that the last look found, and the ends of its band; None if the tags tell of none."""
    try:
        value, low, high = (float(tags[name]) for name in GAIN)
    except (KeyError, ValueError):  # anybody may edit tags in MLflow
        return None
    return (value, low, high) if isfinite(value) and isfinite(low) and isfinite(high) else None
