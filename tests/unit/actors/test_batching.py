"""Many small calls as few large ones."""

import asyncio
from collections.abc import Sequence

import pytest

from actors.batching import Batcher
from engine.errors import ClusterError, MailroomError, StoreUnavailable


class Line:
    """What is sent waits until it is let through; answers are the messages, doubled."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []
        self.through = asyncio.Event()
        self.through.set()
        self.wrong: dict[int, MailroomError] = {}
        self.answer: Sequence[int | MailroomError] | Exception | None = None

    async def send(self, messages: list[int]) -> Sequence[int | MailroomError]:
        self.sent.append(messages)
        await self.through.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return [self.wrong.get(one, 2 * one) for one in messages] if self.answer is None else self.answer


@pytest.fixture
async def line() -> Line:
    return Line()


async def submit(batcher: Batcher[int, int], *messages: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(batcher.submit(one)) for one in messages]
    for _ in range(20):
        await asyncio.sleep(0)
    return tasks


async def test_a_lone_message_waits_for_nobody(line: Line) -> None:
    batcher = Batcher(line.send, 10)
    assert [await batcher.submit(one) for one in (1, 2)] == [2, 4]
    assert line.sent == [[1], [2]]


async def test_what_waits_goes_together_and_everybody_gets_their_own_answer(line: Line) -> None:
    batcher = Batcher(line.send, 3)
    line.through.clear()
    first = await submit(batcher, 1)
    others = await submit(batcher, 2, 3, 4, 5)
    assert line.sent == [[1]]
    line.through.set()
    assert await asyncio.gather(*first, *others) == [2, 4, 6, 8, 10]
    assert line.sent == [[1], [2, 3, 4], [5]]


async def test_no_more_calls_at_once_than_allowed(line: Line) -> None:
    batcher = Batcher(line.send, 1, at_once=2)
    line.through.clear()
    tasks = await submit(batcher, 1, 2, 3)
    assert line.sent == [[1], [2]]
    line.through.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6]


async def test_an_error_in_place_of_an_answer_is_its_own(line: Line) -> None:
    batcher = Batcher(line.send, 3)
    line.answer = [StoreUnavailable("away")]
    (refused,) = await asyncio.gather(batcher.submit(1), return_exceptions=True)
    assert isinstance(refused, StoreUnavailable)
    line.answer = None
    line.through.clear()
    held = await submit(batcher, 1)
    line.wrong = {2: StoreUnavailable("away")}
    tasks = await submit(batcher, 2, 3)
    line.through.set()
    results = await asyncio.gather(*held, *tasks, return_exceptions=True)
    assert [type(result) for result in results] == [int, StoreUnavailable, int]


@pytest.mark.parametrize(
    ("answer", "met"),
    [(StoreUnavailable("away"), StoreUnavailable), (TypeError("a mistake"), ClusterError), ([], ClusterError)],
)
async def test_a_call_that_fails_leaves_nobody_waiting(
    line: Line, answer: Exception | list[int], met: type[MailroomError]
) -> None:
    batcher = Batcher(line.send, 3)
    line.answer = answer
    results = await asyncio.gather(*(batcher.submit(one) for one in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [met] * 3
    line.answer = None
    assert await batcher.submit(4) == 8


async def test_who_no_longer_waits_disturbs_nobody(line: Line) -> None:
    batcher = Batcher(line.send, 3)
    line.through.clear()
    gone, stays = await submit(batcher, 1, 2)
    gone.cancel()
    line.through.set()
    assert await stays == 4
