"""Who makes room for a new connection, and what it costs to find out."""

from dataclasses import dataclass

from app.http.room import LOOK_SECONDS, Room, Waiting


@dataclass(eq=False)
class Asked:
    """A connection that counts how often it is asked."""

    answer: Waiting | None
    times: int = 0

    def waiting(self) -> Waiting | None:
        self.times += 1
        return self.answer


def test_those_in_the_middle_of_something_go_first_then_the_idle_ones_and_never_those_that_work() -> None:
    idle, slow, slower = Asked((True, 1)), Asked((False, 5)), Asked((False, 3))
    room, connections = Room[Asked](), {idle, slow, slower, *(Asked(None) for _ in range(4))}
    assert [room.choice(connections, 0) for _ in range(4)] == [slower, slow, idle, None]


def test_a_thousand_connections_are_not_all_asked_for_each_new_one() -> None:
    room, connections = Room[Asked](), {Asked((False, number)) for number in range(1000)}
    gone = {room.choice(connections, 0) for _ in range(500)}
    assert len(gone) == 500
    assert sum(each.times for each in connections) == 1000 + 500


def test_who_has_begun_to_work_or_is_gone_since_the_last_look_stays_out_of_it() -> None:
    first, second, third = (Asked((False, number)) for number in range(3))
    room, connections = Room[Asked](), {first, second, third}
    assert room.choice(connections, 0) is first
    second.answer = None
    assert room.choice(connections - {third}, 0) is None
    assert room.choice(connections, LOOK_SECONDS) is first


def test_in_a_burst_of_more_connections_than_fit_each_finds_room() -> None:
    room, connections = Room[Asked](), {Asked((True, number)) for number in range(10)}
    for number in range(10, 40):
        choice = room.choice(connections, 0)
        assert choice is not None
        connections = connections - {choice} | {Asked((True, number))}
    assert sum(each.times for each in connections) < 40
