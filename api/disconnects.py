"""Clients that go away while they wait."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")

LOOK = 0.25
"""Seconds between two looks whether the client is still there."""


async def unless_gone(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """Wait for the work, while somebody waits for its result.

    aiohttp can cancel handlers of clients that go away, but only all of them or none; most do work that should end.

    Raises:
        ConnectionResetError: the client has gone; the work was cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK)
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("The client has gone.")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
