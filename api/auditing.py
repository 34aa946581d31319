"""What handlers say to the audit trail: one call for each thing that was done.

Whoever asks, from where, and refusals of the rules of access are known here and to the middleware; a handler says what
was done to what::

    before, after = changes(asdict(was), asdict(now))
    audit(request, Action.SETTINGS_CHANGE, "batch_size", before, after)
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler

from api.keys import ACCESS, AUDITED, CALLER, NOW, PRINCIPAL, TRAIL
from api.problems import status_of
from engine.access.audit import Action, AuditEntry, AuditOutcome, action_of
from engine.access.roles import Permission

_FAILED = frozenset({403, 409})


def audit(  # noqa: PLR0913  # an entry has as many parts
    request: web.Request,
    action: Action,
    target: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    *,
    outcome: AuditOutcome = AuditOutcome.DONE,
) -> None:
    """Leave an entry in the trail; it is written in the background, and nothing has to be awaited.

    Args:
        request: Who asked, and from where.
        action: What was done.
        target: What it was done to, such as an operator's id.
        before: The values that changed, as they were (``engine.access.audit.changes`` finds them).
        after: The same as they are now, or figures of what was done.
        outcome: How it went.
    """
    principal, caller = request.get(PRINCIPAL), request.get(CALLER)
    entry = AuditEntry(
        at=request.app[NOW](),
        action=action,
        outcome=outcome,
        principal=principal.name if principal else "",
        role=principal.role if principal else None,
        token_id=principal.token_id if principal else "",
        address=str(caller.address) if caller and caller.address else "",
        target=target,
        before=before or {},
        after=after or {},
        entry_id=uuid4().hex,
    )
    request[AUDITED] = True
    request.app[TRAIL].add(entry)


@contextmanager
def audited(
    request: web.Request, action: Action, target: str = "", after: Mapping[str, object] | None = None
) -> Iterator[None]:
    """Leave an entry of what happens inside, however it ends: ``done``, ``refused`` as wrong, or ``failed``."""
    try:
        yield
    except Exception as error:
        refused = status_of(error) < 500
        audit(request, action, target, after=after, outcome=AuditOutcome.REFUSED if refused else AuditOutcome.FAILED)
        raise
    audit(request, action, target, after=after)


@web.middleware
async def note_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Middleware: a change, or a look at mail, that was allowed and did not work leaves an entry too.

    What was wrong with the request itself (400, 404, 405, 413) has changed nothing and leaves none; nor is there a
    second one where the handler has left its own.
    """
    try:
        return await handler(request)
    except Exception as error:
        action = requested_action(request)
        status = status_of(error)
        if action is not None and not request.get(AUDITED, False) and (status in _FAILED or status >= 500):
            outcome = AuditOutcome.REFUSED if status == 403 else AuditOutcome.FAILED
            audit(request, action, target_of(request), after={"status": status}, outcome=outcome)
        raise


def requested_action(request: web.Request) -> Action | None:
    """What a request is, as far as its route tells; None: it only reads, and no mail."""
    access = request.app[ACCESS].get(request.match_info.handler)
    return action_of(access, request.method) if isinstance(access, Permission) else None


def target_of(request: web.Request) -> str:
    """What a request was sent to, where nothing more is known."""
    return f"{request.method} {request.path}"


async def keep_trail(app: web.Application) -> AsyncIterator[None]:
    """A clean-up context: the trail is written for as long as the gateway runs, and to its end when it stops."""
    trail = app[TRAIL]
    task = asyncio.create_task(trail.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await trail.flush()
