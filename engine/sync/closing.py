"""Landings on their way out, and the end of a pass.

Records that have changed travel with the next landing, and a landing that leaves nothing to do carries the pass's end
(status, last success, next sync): the everyday case is one transaction.
"""

from dataclasses import replace

from engine.failures import failure_for
from engine.model import Landing, LandingResult, MailboxStatus, Moment
from engine.sync import folders
from engine.sync.actions import Land, Rest
from engine.sync.retry import delay_after
from engine.sync.state import MailboxState, newest_first


def land(state: MailboxState, landing: Landing, moment: Moment) -> MailboxState:
    """Send a landing off, with every changed record, and with the pass's end if nothing else is left to do."""
    if not landing.queued and not _work_left(state, moment):
        state = _conclude(state, moment)
    if state.dirty_mailbox:
        landing = replace(landing, mailbox=state.record)
    if state.dirty_subscription:
        landing = replace(landing, subscription=state.subscription)
    if state.closing and state.retired:
        landing = replace(landing, retired_folders=state.retired)
        state = replace(state, retired=())
    return replace(state, dirty_mailbox=False, dirty_subscription=False, doing=Land(landing))


def close(state: MailboxState, moment: Moment) -> MailboxState:
    """End the pass with a landing of its own."""
    return land(_conclude(state, moment), Landing(state.operator.operator_id, state.epoch), moment)


def rest(state: MailboxState) -> Rest:
    """What a finished pass leaves to be logged and shown."""
    failure = failure_for(state.trouble) if state.trouble else None
    return Rest(state.summary, failure, str(state.trouble or ""), state.record.next_sync_at)


def on_landed(state: MailboxState, result: LandingResult) -> MailboxState:
    """Take in what the store did; begin a folder anew if the server has silently begun its listing anew."""
    landing = state.doing.landing if isinstance(state.doing, Land) else None
    moved = landing is not None and (landing.folder_record is not None or landing.emails is not None)
    summary = replace(
        state.summary,
        steps=state.summary.steps + moved,
        inserted=state.summary.inserted + result.inserted,
        updated=state.summary.updated + result.updated,
        deleted=state.summary.deleted + result.deleted,
    )
    state = replace(state, doing=None, summary=summary, pending=newest_first((*state.pending, *result.queued)))
    if landing is None or landing.folder is None:
        return state
    folder = next((known for known in state.folders if known.folder == landing.folder), None)
    if folder is None:
        return state
    reconciling = folder.record.reconciling or landing.reconciled
    folder = replace(
        folder,
        landed=folder.landed + result.inserted,
        record=replace(folder.record, relisted=folder.record.relisted or (result.relisted > 0 and not reconciling)),
    )
    if folder.record.relisted and not folder.draining:
        # Landed items listed as new: whatever was deleted while the server forgot is not in the listing.
        folder = folders.begin_anew(folder)
        state = replace(state, closing=False)
    return state.with_folder(folder)


def _work_left(state: MailboxState, moment: Moment) -> bool:
    known = {folder.record.folder_id for folder in state.folders}
    return bool(
        state.parked
        or state.subscribe
        or any(page.folder_id in known for page in state.pending)
        or any(folder.due or folder.draining for folder in state.folders)
        or any(entry.next_attempt_at <= moment.now and entry.folder_id in known for entry in state.quarantined)
    )


def _conclude(state: MailboxState, moment: Moment) -> MailboxState:
    if state.closing:
        return state
    if state.trouble is not None:
        return fail(state, moment)
    spread = 0.9 + moment.jitter / 5
    record = replace(
        state.record,
        status=MailboxStatus.SYNCED,
        last_success_at=moment.now,
        next_sync_at=moment.now + state.policy.resync_every * spread,
        failing_since=None,
        attempts=0,
        error_code=None,
        error=None,
        error_at=None,
    )
    return replace(state, record=record, dirty_mailbox=True, closing=True)


def fail(state: MailboxState, moment: Moment) -> MailboxState:
    """Conclude a pass that did not succeed: the record says why, since when, and when the next attempt is.

    A pass that got somewhere before it failed is the first failure of a new row: a backfill of a hundred requests would
    else wait longer and longer for nothing but its length.
    """
    error = state.trouble
    if error is None:
        raise ValueError("a pass fails for a reason: set trouble first")
    attempts = 1 if state.summary.steps else state.record.attempts + 1
    record = replace(
        state.record,
        status=MailboxStatus.FAILING,
        failing_since=state.record.failing_since or moment.now,
        attempts=attempts,
        next_sync_at=moment.now + delay_after(error, attempts, state.policy, moment.jitter),
        error_code=failure_for(error).code,
        error=str(error),
        error_at=moment.now,
    )
    return replace(state, record=record, dirty_mailbox=True, closing=True)
