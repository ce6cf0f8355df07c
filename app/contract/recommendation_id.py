"""The id of an answered list: which version made it, for which arms of trials, when, and in a trial for whom.

URL-safe base64 of a head, the same for all lists of a version and arm, and a tail of 15 bytes: the time in whole
seconds modulo 2^32, so that a wrong clock stops no list (4), random bits (4) and a seal (7). The head is the arms (1
byte: that in a trial of versions, and three times the place in `PLACED` of that in a trial of placements), the
version's length (1) and the version, filled up with zeros to a multiple of three bytes, so that no padding is needed.
It is opaque to clients. In a trial the seal is a keyed hash of all before it and of the user's id, so that nobody can
name a list that was not answered; its secret is that of the trial of placements, if the list is in one. Outside it is
random.
"""

import time
from base64 import b64decode, urlsafe_b64encode
from binascii import Error, b2a_base64
from collections.abc import Callable
from hashlib import blake2s
from random import getrandbits
from typing import NamedTuple

from app.contract.trial import Arm

MAX_VERSION = 28  # bytes, so that an id has at most 64 characters
TAIL = 15
SEAL = 7
RANDOM_BITS = 32
MAX_TIME = 2**32 - 1
PLACED = (Arm.NONE, Arm.PRODUCTION, Arm.CHALLENGER)
URL_SAFE = bytes.maketrans(b"+/", b"-_")


class RecommendationId(NamedTuple):
    """What an id says; `time` is in seconds since 1970, `sealed` all bytes before the seal.

    `arm` is that of a trial of versions, `placed` that of a trial of placements.
    """

    version: str
    arm: Arm
    placed: Arm
    time: int
    sealed: bytes
    seal: bytes

    def is_for(self, user_id: str, secret: bytes) -> bool:
        """Whether a service with a trial's secret made this list for this user."""
        return self.seal == _seal(secret, self.sealed, user_id.encode())


def id_maker(version: str, arm: Arm, secret: bytes | None = None, placed: Arm = Arm.NONE) -> Callable[[bytes], bytes]:
    """What makes the ids of a version's lists, from user ids in UTF-8; `secret` is that of the arms' trial.

    Raises ValueError for too long a version.
    """
    name = version.encode()
    if len(name) > MAX_VERSION:
        raise ValueError(f"The version {version!r} has more than {MAX_VERSION} bytes, too many for a recommendation id")
    head = bytes([arm + len(Arm) * PLACED.index(placed), len(name)]) + name
    head += bytes(-len(head) % 3)
    prefix, random_bits = urlsafe_b64encode(head), RANDOM_BITS + (8 * SEAL if secret is None else 0)

    def make(user_id: bytes) -> bytes:
        number = (int(time.time()) & MAX_TIME) << random_bits | getrandbits(random_bits)
        tail = number.to_bytes(4 + random_bits // 8, "big")
        if secret is not None:
            tail += _seal(secret, head + tail, user_id)
        return prefix + b2a_base64(tail, newline=False).translate(URL_SAFE)

    return make


def read_id(text: str) -> RecommendationId | None:
    """Read an id; None if the text isn't one."""
    try:
        content = b64decode(text, altchars=b"-_", validate=True)
        head, tail = content[:-TAIL], content[-TAIL:]
        (placed, arm), length = divmod(head[0], len(Arm)), head[1]
        arms = Arm(arm), PLACED[placed]
        version = head[2 : 2 + length].decode()
    except (Error, ValueError, IndexError):
        return None
    if len(version.encode()) != length or length > MAX_VERSION or len(head) != 2 + length + -(2 + length) % 3:
        return None
    return RecommendationId(version, *arms, int.from_bytes(tail[:4], "big"), content[:-SEAL], content[-SEAL:])


def _seal(secret: bytes, sealed: bytes, user_id: bytes) -> bytes:
    return blake2s(sealed + user_id, key=secret, digest_size=SEAL).digest()
