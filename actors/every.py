"""Work that is repeated for as long as an actor lives."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from engine.errors import MailroomError

_log = structlog.get_logger(__name__)


async def every(seconds: float, work: Callable[[], Awaitable[object]], what: str) -> None:
    """Do the work, wait, and again.

    ``what`` names it, in the plural, in the log: once when it is put off, and when it goes on.
    """
    failing = False
    while True:
        try:
            await work()
        except MailroomError as error:
            if not failing:
                _log.warning(f"{what} put off", reason=str(error))
            failing = True
        except Exception:  # noqa: BLE001  # a mistake of ours must not end the work: nobody would begin it again
            _log.exception(f"{what} broken off")
        else:
            if failing:
                _log.info(f"{what} go on")
            failing = False
        await asyncio.sleep(seconds)
