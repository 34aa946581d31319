"""How a question or a change reaches the thread that answers it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import duckdb

from engine.store.group import Alone, Change
from engine.store.queries import Readers
from engine.store.writer import Writer

T = TypeVar("T")


class Asking:
    """What all of the store's methods are made of."""

    _writer: Writer
    _readers: Readers

    async def _ask(self, question: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        return await asyncio.wrap_future(self._readers.ask(question))

    async def _change(self, apply: Callable[[duckdb.DuckDBPyConnection, datetime], T]) -> T:
        change = Change(apply)
        self._writer.submit(change)
        return await change.ticket.future

    async def _do_alone(self, do: Callable[[], T]) -> T:
        request = Alone(do)
        self._writer.submit(request)
        return await request.ticket.future
