"""The desk of people's queries: who runs, who waits, who is stopped, and who does not listen."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, cast

import pytest

from engine import errors
from engine.querying import Limits
from engine.store.desk import Cursor, Desk, Job, Stop, stopped

LIMITS = Limits(seconds=10, grace=5, at_once=2, waiting=2, stuck=2)


class Clock:
    """Stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Scale:
    """Says what it was told to; ``rested`` counts."""

    def __init__(self) -> None:
        self.used: dict[int, int] | None = None
        self.rested = 0

    def rest(self) -> None:
        self.rested += 1

    def look(self) -> dict[int, int] | None:
        return self.used


class Interrupted(Exception):
    pass


class FakeCursor:
    def __init__(self) -> None:
        self.interrupted = threading.Event()

    def interrupt(self) -> None:
        self.interrupted.set()


class Room:
    """A desk, and queries that run until they are let go or interrupted; a deaf one does not listen."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.clock, self.scale = Clock(), Scale()
        self.began: dict[str, threading.Event] = {}
        self.released = threading.Event()
        self.desk = Desk(self._run, limits, self.scale, self.clock)
        self._connections = iter(range(1, 100))

    def submit(self, name: str, *, deaf: bool = False) -> "Future[Any]":
        self.began[name] = threading.Event()

        def work(cursor: Cursor) -> str:
            self.began[name].set()
            fake = cast("FakeCursor", cursor)
            while not self.released.is_set():
                if not deaf and fake.interrupted.wait(0.01):
                    raise Interrupted
                if deaf:
                    self.released.wait(0.01)
            return name

        return self.desk.submit(name, work)

    def started(self, name: str) -> bool:
        return self.began[name].wait(20)

    def _run(self, job: Job) -> Any:
        job.connection = next(self._connections)
        job.cursor = cast("Cursor", FakeCursor())
        try:
            return job.work(job.cursor)
        except Interrupted:
            raise stopped(job.stop or Stop.CLOSING, LIMITS) from None


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.released.set()
    room.desk.close()


def refused(future: "Future[Any]") -> type[BaseException | None]:
    return type(future.exception(20))


def test_so_many_run_and_so_many_wait(room: Room) -> None:
    running = [room.submit("a"), room.submit("b")]
    assert room.started("a")
    assert room.started("b")
    waiting = [room.submit("c"), room.submit("d")]
    with pytest.raises(errors.QueryBusy, match="2 queries run and 2 wait"):
        room.submit("e")
    assert not room.began["c"].is_set()
    room.released.set()
    assert [one.result(20) for one in [*running, *waiting]] == ["a", "b", "c", "d"]


def test_one_that_runs_too_long_is_stopped_and_the_next_begins(room: Room) -> None:
    first, second = room.submit("a"), room.submit("b")
    waiting = room.submit("c")
    assert room.started("a")
    assert room.started("b")
    room.clock.now = 10.0
    assert (refused(first), refused(second)) == (errors.QueryTimedOut, errors.QueryTimedOut)
    assert room.started("c")
    room.released.set()
    assert waiting.result(20) == "c"


def test_one_that_does_not_listen_is_given_up(room: Room) -> None:
    deaf = [room.submit("a", deaf=True), room.submit("b", deaf=True)]
    waiting = room.submit("c")
    assert room.started("a")
    assert room.started("b")
    room.clock.now = 10.0
    assert not any(one.done() for one in deaf)
    _until(lambda: all(job.told is not None for job in room.desk._running))
    room.clock.now = 15.0
    assert [refused(one) for one in deaf] == [errors.QueryTimedOut] * 2
    assert room.started("c")
    assert room.scale.rested >= 2
    with pytest.raises(errors.QueryBusy, match="have not ended yet"):
        room.submit("d")
    room.released.set()
    assert waiting.result(20) == "c"
    _until(lambda: not room.desk._stuck)
    assert room.submit("e").result(20) == "e"


def test_its_asker_stops_it(room: Room) -> None:
    running, other = room.submit("a"), room.submit("b")
    waiting = room.submit("c")
    assert room.started("a")
    room.desk.stop("c")
    room.desk.stop("a")
    room.desk.stop("nobody's")
    assert (refused(running), refused(waiting)) == (errors.QueryRefused, errors.QueryRefused)
    assert not room.began["c"].is_set()
    assert not other.done()


def test_one_whose_asker_has_gone_does_not_begin(room: Room) -> None:
    room.submit("a")
    room.submit("b")
    waiting, after = room.submit("c"), room.submit("d")
    assert waiting.cancel()
    room.desk.stop("a")
    assert room.started("d")
    assert not room.began["c"].is_set()
    assert not after.done()


def test_the_greediest_is_stopped(room: Room) -> None:
    modest, greedy = room.submit("a"), room.submit("b")
    assert room.started("a")
    assert room.started("b")
    by_name = {job.query_id: job.connection for job in room.desk._running}
    room.scale.used = {by_name["a"] or 0: 10, by_name["b"] or 0: 1000}
    assert refused(greedy) is errors.QueryTooLarge
    room.scale.used = None
    assert not modest.done()


def test_landings_get_room(room: Room) -> None:
    assert not room.desk.make_room()
    running = room.submit("a")
    assert room.started("a")
    assert room.desk.make_room()
    assert refused(running) is errors.QueryBusy


def test_closing_stops_all(room: Room) -> None:
    running = [room.submit("a"), room.submit("b")]
    waiting = room.submit("c")
    room.desk.close()
    assert {refused(one) for one in [*running, waiting]} == {errors.StoreUnavailable}
    with pytest.raises(errors.StoreUnavailable):
        room.submit("d")


def test_closing_does_not_wait_for_ever(room: Room) -> None:
    room.submit("a", deaf=True)
    assert room.started("a")
    room.desk.close(0.1)
    assert not room.released.is_set()


def _until(true: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come to that")
