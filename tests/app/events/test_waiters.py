import asyncio
import threading

from app.events.waiters import Waiters


def test_a_position_that_is_reached_is_not_waited_for_and_any_later_one_is() -> None:
    async def ask() -> None:
        waiters = Waiters(wanted := threading.Event())
        assert await waiters.wait_for(0, 0)
        assert not wanted.is_set()
        assert not await waiters.wait_for(1, 0.01)
        assert wanted.is_set()
        assert waiters._waiting == []
        waiters.reached(1)
        assert await waiters.wait_for(1, 0)

    asyncio.run(ask())


def test_those_who_wait_are_woken_by_another_thread_once_their_position_is_reached() -> None:
    async def ask() -> None:
        waiters = Waiters(threading.Event())
        first, second = (asyncio.ensure_future(waiters.wait_for(position, 60)) for position in (5, 6))
        await asyncio.sleep(0)
        await asyncio.to_thread(waiters.reached, 5)
        assert await first
        assert not second.done()
        await asyncio.to_thread(waiters.reached, 9)
        assert await second
        assert waiters._waiting == []

    asyncio.run(ask())
