"""Subscriptions of checks: who waits for Exchange to call back, and what their notifications are answered."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from engine.notices import Notice, NoticeAnswer

_PREFIX = "check-"
Take = Callable[[Sequence[Notice]], Awaitable[list[NoticeAnswer]]]


def serial_of(fresh_id: str) -> str:
    """The serial of a check's subscription; those of mailboxes never look like it."""
    return f"{_PREFIX}{fresh_id}"


class Calls:
    """The checks of one host that wait to be called back."""

    def __init__(self) -> None:
        self._awaited: dict[str, asyncio.Event] = {}

    @contextmanager
    def awaited(self, serial: str) -> Iterator[asyncio.Event]:
        """While this lasts, a notification for the serial sets the event."""
        event = self._awaited[serial] = asyncio.Event()
        try:
            yield event
        finally:
            del self._awaited[serial]

    async def sort(self, notices: Sequence[Notice], take: Take) -> list[NoticeAnswer]:
        """An answer for each notice: those of checks end their subscription, ``take`` answers the others."""
        ours = [notice for notice in notices if notice.serial.startswith(_PREFIX)]
        for notice in ours:
            if notice.serial in self._awaited:
                self._awaited[notice.serial].set()
        if not ours:
            return await take(notices)
        others = [notice for notice in notices if not notice.serial.startswith(_PREFIX)]
        answers = iter(await take(others) if others else ())
        return [NoticeAnswer.UNSUBSCRIBE if notice.serial.startswith(_PREFIX) else next(answers) for notice in notices]
