"""Many small calls as few large ones: what waits while a call is under way goes along with the next.

Ray carries some thousand calls a second and hundreds of thousands of messages inside them, so the batch grows with the
load by itself and a lone message waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from engine.errors import ClusterError, MailroomError

Message = TypeVar("Message")
Answer = TypeVar("Answer")


class Batcher(Generic[Message, Answer]):
    """Sends messages with ``send``, which answers a batch one by one (an error in place of an answer is raised)."""

    def __init__(
        self, send: Callable[[list[Message]], Awaitable[Sequence[Answer | MailroomError]]], most: int, at_once: int = 1
    ) -> None:
        self._send = send
        self._most = most
        self._idle = at_once
        self._waiting: deque[tuple[Message, asyncio.Future[Answer]]] = deque()
        self._sending: set[asyncio.Task[None]] = set()

    async def submit(self, message: Message) -> Answer:
        """Send a message and wait for its answer."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, answer))
        if self._idle > 0:
            self._idle -= 1
            task = asyncio.create_task(self._drain())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return await answer

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
                await self._deliver(batch)
        finally:
            self._idle += 1

    async def _deliver(self, batch: list[tuple[Message, asyncio.Future[Answer]]]) -> None:
        for (_, future), answer in zip(batch, await self._answers([message for message, _ in batch]), strict=True):
            if future.done():
                continue
            if isinstance(answer, MailroomError):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def _answers(self, messages: list[Message]) -> Sequence[Answer | MailroomError]:
        """One answer a message, whatever happens: somebody waits for each."""
        try:
            answers = await self._send(messages)
        except MailroomError as error:
            return [error] * len(messages)
        except Exception as error:  # noqa: BLE001  # a mistake of ours must not leave its callers waiting for ever
            return [ClusterError(f"{type(error).__name__}: {error}")] * len(messages)
        if len(answers) != len(messages):
            return [ClusterError(f"{len(messages)} messages got {len(answers)} answers")] * len(messages)
        return answers
