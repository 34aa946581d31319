"""``ports.Store`` from another process: calls to the Store actor, landings gathered into batches."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from actors.batching import Batcher
from actors.calls import call
from actors.options import STORE
from actors.wire import pack, pack_changes, unpack_operators
from engine.errors import StoreUnavailable
from engine.model import Landing, LandingResult, Operator
from engine.operators import OperatorChange
from engine.ports import Store

P = ParamSpec("P")
T = TypeVar("T")

_LANDINGS_A_CALL = 256
_CALLS_AT_ONCE = 2


def _called(
    method: Callable[Concatenate[Store, P], Awaitable[T]],
) -> Callable[Concatenate["RemoteStore", P], Coroutine[Any, Any, T]]:
    """The same method by a call to the Store actor; arguments travel by position."""
    signature = inspect.signature(method)

    @wraps(method)
    async def ask(self: "RemoteStore", /, *args: P.args, **kwargs: P.kwargs) -> T:
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        answer: T = await self._call(method.__name__, *given.args[1:])
        return answer

    return ask


class RemoteStore:
    """See ``ports.Store``. What cannot be answered raises StoreUnavailable: it may or may not have been done."""

    def __init__(self) -> None:
        self._landings: Batcher[Landing, LandingResult] = Batcher(
            lambda landings: self._call("land", pack(landings)), _LANDINGS_A_CALL, _CALLS_AT_ONCE
        )

    async def land(self, landing: Landing) -> LandingResult:
        """See ``ports.Store``."""
        return await self._landings.submit(landing)

    async def change_operators(self, changes: Sequence[OperatorChange]) -> None:
        """See ``ports.Store``."""
        await self._call("change_operators", pack_changes(changes))

    async def operators(self) -> list[Operator]:
        """See ``ports.Store``."""
        return unpack_operators(await self._call("operators"))

    activate = _called(Store.activate)
    heard = _called(Store.heard)
    make_due = _called(Store.make_due)
    put_operators = _called(Store.put_operators)
    seed_operators = _called(Store.seed_operators)
    due = _called(Store.due)
    status = _called(Store.status)
    page = _called(Store.page)
    query = _called(Store.query)
    emails = _called(Store.emails)
    email = _called(Store.email)
    start_query = _called(Store.start_query)
    read_query = _called(Store.read_query)
    end_query = _called(Store.end_query)
    close = _called(Store.close)

    seed_jobs = _called(Store.seed_jobs)
    jobs = _called(Store.jobs)
    put_job = _called(Store.put_job)
    begin_run = _called(Store.begin_run)
    put_run = _called(Store.put_run)
    progress = _called(Store.progress)

    seed_settings = _called(Store.seed_settings)
    settings = _called(Store.settings)
    put_settings = _called(Store.put_settings)

    standing_failures = _called(Store.standing_failures)
    open_alerts = _called(Store.open_alerts)
    put_alerts = _called(Store.put_alerts)
    unsent = _called(Store.unsent)
    put_mail = _called(Store.put_mail)

    tokens = _called(Store.tokens)
    add_token = _called(Store.add_token)
    revoke_token = _called(Store.revoke_token)
    note_token_uses = _called(Store.note_token_uses)
    write_audit = _called(Store.write_audit)

    put_crm = _called(Store.put_crm)
    associate_some = _called(Store.associate_some)
    associate_all = _called(Store.associate_all)
    associations_left = _called(Store.associations_left)

    policy_standing = _called(Store.policy_standing)
    put_operator_policy = _called(Store.put_operator_policy)
    purge = _called(Store.purge)

    erase = _called(Store.erase)
    lift_erasure = _called(Store.lift_erasure)

    begin_export = _called(Store.begin_export)
    read_export = _called(Store.read_export)
    end_export = _called(Store.end_export)

    async def _call(self, method: str, *args: Any) -> Any:
        return await call(STORE, method, *args, lost=StoreUnavailable)
