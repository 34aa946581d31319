"""The Store actor: the one process that opens the database file."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from actors.wire import PackedLanding, PlainChange, PlainOperator, pack_operators, unpack, unpack_changes
from engine import logs
from engine.clock import SystemClock
from engine.errors import MailroomError
from engine.model import LandingResult
from engine.store.options import StoreOptions
from engine.store.store import DuckDBStore

P = ParamSpec("P")
T = TypeVar("T")


def _of_the_store(
    method: Callable[Concatenate[DuckDBStore, P], Awaitable[T]],
) -> Callable[Concatenate["StoreActor", P], Coroutine[Any, Any, T]]:
    """The same method on the actor, which waits until the file is open."""

    @wraps(method)
    async def ask(self: "StoreActor", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await method(await self._opened(), *args, **kwargs)

    return ask


class StoreActor:
    """``engine.store.DuckDBStore``, callable from other processes. Landings come and are answered in batches."""

    def __init__(self, path: str, options: StoreOptions) -> None:
        logs.configure()
        self._path = Path(path)
        self._options = options
        self._opening: asyncio.Task[DuckDBStore] | None = None

    async def opened(self) -> None:
        """Return when the file is open; raise why it could not be."""
        await self._opened()

    async def land(self, landings: Sequence[PackedLanding]) -> list[LandingResult | MailroomError]:
        """Land each; one that fails is answered by its error and sinks no other."""
        store = await self._opened()
        results = await asyncio.gather(*(store.land(one) for one in unpack(landings)), return_exceptions=True)
        return [_answer(result) for result in results]

    async def change_operators(self, changes: Sequence[PlainChange]) -> None:
        """See ``ports.Store``."""
        store = await self._opened()
        await store.change_operators(await asyncio.to_thread(unpack_changes, changes))

    async def operators(self) -> list[PlainOperator]:
        """See ``ports.Store``."""
        store = await self._opened()
        return pack_operators(await store.operators())

    activate = _of_the_store(DuckDBStore.activate)
    heard = _of_the_store(DuckDBStore.heard)
    make_due = _of_the_store(DuckDBStore.make_due)
    put_operators = _of_the_store(DuckDBStore.put_operators)
    seed_operators = _of_the_store(DuckDBStore.seed_operators)
    due = _of_the_store(DuckDBStore.due)
    status = _of_the_store(DuckDBStore.status)
    page = _of_the_store(DuckDBStore.page)
    query = _of_the_store(DuckDBStore.query)
    emails = _of_the_store(DuckDBStore.emails)
    email = _of_the_store(DuckDBStore.email)
    start_query = _of_the_store(DuckDBStore.start_query)
    read_query = _of_the_store(DuckDBStore.read_query)
    end_query = _of_the_store(DuckDBStore.end_query)

    seed_jobs = _of_the_store(DuckDBStore.seed_jobs)
    jobs = _of_the_store(DuckDBStore.jobs)
    put_job = _of_the_store(DuckDBStore.put_job)
    begin_run = _of_the_store(DuckDBStore.begin_run)
    put_run = _of_the_store(DuckDBStore.put_run)
    progress = _of_the_store(DuckDBStore.progress)

    seed_settings = _of_the_store(DuckDBStore.seed_settings)
    settings = _of_the_store(DuckDBStore.settings)
    put_settings = _of_the_store(DuckDBStore.put_settings)

    standing_failures = _of_the_store(DuckDBStore.standing_failures)
    open_alerts = _of_the_store(DuckDBStore.open_alerts)
    put_alerts = _of_the_store(DuckDBStore.put_alerts)
    unsent = _of_the_store(DuckDBStore.unsent)
    put_mail = _of_the_store(DuckDBStore.put_mail)

    tokens = _of_the_store(DuckDBStore.tokens)
    add_token = _of_the_store(DuckDBStore.add_token)
    revoke_token = _of_the_store(DuckDBStore.revoke_token)
    note_token_uses = _of_the_store(DuckDBStore.note_token_uses)
    write_audit = _of_the_store(DuckDBStore.write_audit)

    put_crm = _of_the_store(DuckDBStore.put_crm)
    associate_some = _of_the_store(DuckDBStore.associate_some)
    associate_all = _of_the_store(DuckDBStore.associate_all)
    associations_left = _of_the_store(DuckDBStore.associations_left)

    policy_standing = _of_the_store(DuckDBStore.policy_standing)
    put_operator_policy = _of_the_store(DuckDBStore.put_operator_policy)
    purge = _of_the_store(DuckDBStore.purge)

    erase = _of_the_store(DuckDBStore.erase)
    lift_erasure = _of_the_store(DuckDBStore.lift_erasure)

    begin_export = _of_the_store(DuckDBStore.begin_export)
    read_export = _of_the_store(DuckDBStore.read_export)
    end_export = _of_the_store(DuckDBStore.end_export)

    async def close(self) -> None:
        """See ``ports.Store``."""
        if self._opening is not None and self._opening.done() and self._opening.exception() is None:
            await self._opening.result().close()

    async def _opened(self) -> DuckDBStore:
        """The open store.

        Whoever comes first opens it and all wait for that attempt; who comes after it failed tries again, since another
        process may have held the file for a while only.
        """
        if self._opening is None or (self._opening.done() and self._opening.exception() is not None):
            self._opening = asyncio.create_task(DuckDBStore.open(self._path, SystemClock().now, self._options))
        return await asyncio.shield(self._opening)


def _answer(result: LandingResult | BaseException) -> LandingResult | MailroomError:
    if isinstance(result, LandingResult | MailroomError):
        return result
    return MailroomError(f"{type(result).__name__}: {result}")
