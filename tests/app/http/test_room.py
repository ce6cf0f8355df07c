"""Who makes room for a new connection, and what it costs to find out."""

from dataclasses import dataclass, field

import pytest

from app.http.patience import ANOTHER, Debt
from app.http.room import Room


@dataclass(eq=False)
class Asked:
    """A connection that counts how often it is asked."""

    requests: int = 0
    works: bool = False
    times: int = 0
    is_queued: bool = field(default=False, init=False)

    def owed(self) -> Debt | None:
        self.times += 1
        return None if self.works else (ANOTHER, self.requests)


@pytest.fixture
def connections() -> list[Asked]:
    """Some in a row."""
    return [Asked() for _ in range(1000)]


@pytest.fixture
def room(connections: list[Asked]) -> Room[Asked]:
    """All of them have entered."""
    room = Room[Asked]()
    for each in connections:
        room.enter(each)
    return room


def test_whose_client_has_done_nothing_for_the_longest_goes_first(room: Room[Asked], connections: list[Asked]) -> None:
    connections[0].requests = connections[2].requests = 1
    room.leave(connections[1])
    assert [room.choice() for _ in range(997)] == connections[3:]
    assert [room.choice(), room.choice(), room.choice()] == [connections[0], connections[2], None]


def test_who_works_for_a_client_is_left_alone_until_it_enters_again(
    room: Room[Asked], connections: list[Asked]
) -> None:
    for each in connections:
        each.works = True
    assert room.choice() is None
    assert not any(each.is_queued for each in connections)
    connections[5].works = False
    room.enter(connections[5])
    assert room.choice() is connections[5]


@pytest.mark.parametrize("works", [False, True])
def test_among_a_thousand_connections_a_new_one_costs_few_questions(
    room: Room[Asked], connections: list[Asked], *, works: bool
) -> None:
    for each in connections[:500]:
        each.works = works
    new = [Asked() for _ in range(10_000)]
    for each in new:
        assert room.choice() is not None
        room.enter(each)
    assert sum(each.times for each in (*connections, *new)) < 3 * len(new)
