"""The id of an answered list: which version made it, for which arm of a trial, when, and for whom.

URL-safe base64 of a head, the same for all lists of a version and arm, and a tail of 15 bytes: the time in whole
seconds modulo 2^32, so that a wrong clock stops no list (4), a checksum of the user's id (4) and random bits (7). The
head is the arm (1 byte), the version's length (1) and the version, filled up with zeros to a multiple of three bytes,
so that no padding is needed. It is opaque to clients and no secret: who can forge one can as well send a like for a
list that they were shown.
"""

import time
from base64 import b64decode, urlsafe_b64encode
from binascii import Error, b2a_base64, crc32
from collections.abc import Callable
from random import getrandbits
from typing import NamedTuple

from app.contract.trial import Arm

MAX_VERSION = 28  # bytes, so that an id has at most 64 characters
TAIL = 15
RANDOM_BITS = 56
MAX_TIME = 2**32 - 1
URL_SAFE = bytes.maketrans(b"+/", b"-_")


class RecommendationId(NamedTuple):
    """What an id says; `time` is in seconds since 1970, `user` a checksum."""

    version: str
    arm: Arm
    time: int
    user: int

    def is_for(self, user_id: str) -> bool:
        """Whether the list was made for this user, as far as a checksum of 32 bits can tell."""
        return self.user == crc32(user_id.encode())


def id_maker(version: str, arm: Arm) -> Callable[[bytes], bytes]:
    """What makes the ids of a version's lists, from user ids in UTF-8; raises ValueError for too long a version."""
    name = version.encode()
    if len(name) > MAX_VERSION:
        raise ValueError(f"The version {version!r} has more than {MAX_VERSION} bytes, too many for a recommendation id")
    head = bytes([arm, len(name)]) + name
    prefix = urlsafe_b64encode(head + bytes(-len(head) % 3))

    def make(user_id: bytes) -> bytes:
        number = ((int(time.time()) & MAX_TIME) << 32 | crc32(user_id)) << RANDOM_BITS | getrandbits(RANDOM_BITS)
        return prefix + b2a_base64(number.to_bytes(TAIL, "big"), newline=False).translate(URL_SAFE)

    return make


def read_id(text: str) -> RecommendationId | None:
    """What an id says; None for a text that is none."""
    try:
        content = b64decode(text, altchars=b"-_", validate=True)
        head, tail = content[:-TAIL], content[-TAIL:]
        arm, length = Arm(head[0]), head[1]
        version = head[2 : 2 + length].decode()
    except (Error, ValueError, IndexError):
        return None
    if len(version.encode()) != length or length > MAX_VERSION or len(head) != 2 + length + -(2 + length) % 3:
        return None
    return RecommendationId(version, arm, int.from_bytes(tail[:4], "big"), int.from_bytes(tail[4:8], "big"))
