"""Work that is worth doing only as long as somebody waits for its answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

from api.problems import Refusal

T = TypeVar("T")
_LOOK_EVERY = 0.5


async def while_connected(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to; it is cancelled when the client has gone.

    Raises:
        Refusal: nobody is there any more to read it.
    """
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait((task,), timeout=_LOOK_EVERY)
            if request.transport is None or request.transport.is_closing():
                raise Refusal(499, "CLIENT_GONE", "The client has gone.", "Wait for the answer.")
        return task.result()
    finally:
        task.cancel()
