"""What handlers say to the audit trail: one call for each thing that was done.

Whoever asks, from where, and refusals of the rules of access are known here and to the middleware; a handler says what
was done to what::

    before, after = changes(asdict(was), asdict(now))
    audit(request, Action.SETTINGS_CHANGE, "batch_size", before, after)
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from uuid import uuid4

from aiohttp import web

from api.keys import CALLER, NOW, PRINCIPAL, TRAIL
from engine.access.audit import Action, AuditEntry, AuditOutcome


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
    request.app[TRAIL].add(entry)


async def keep_trail(app: web.Application) -> AsyncIterator[None]:
    """A clean-up context: the trail is written for as long as the gateway runs, and to its end when it stops."""
    trail = app[TRAIL]
    task = asyncio.create_task(trail.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await trail.flush()
