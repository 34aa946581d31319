"""Landings on their way out, and the end of a pass.

Records that have changed travel with the next landing, and a landing that leaves nothing to do carries the pass's end
(status, last success): the everyday case is one transaction. A pass that did not succeed ends in
``engine.sync.failing``.
"""

from dataclasses import replace
from datetime import datetime

from engine.failures import failure_by_code, failure_for
from engine.model import Landing, LandingResult, MailboxStatus, Moment
from engine.sync import failing, folders, holding
from engine.sync.actions import Land, Rest
from engine.sync.state import Ahead, MailboxState, newest_first

_ANY = 1_000_000


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
    """End the pass with a landing of its own, unless it ends with a backfill on hold and nothing to write down."""
    if state.held and state.trouble is None and _work_left(state, moment):
        if not (state.dirty_mailbox or state.dirty_subscription):
            return replace(state, closing=True, doing=rest(state, moment))
        return replace(land(state, Landing(state.operator.operator_id, state.epoch), moment), closing=True)
    return land(_conclude(state, moment), Landing(state.operator.operator_id, state.epoch), moment)


def rest(state: MailboxState, moment: Moment) -> Rest:
    """What a finished pass leaves to be logged and shown."""
    code = state.record.error_code or ""
    failure = (failure_by_code(code) or failure_for(state.trouble)) if state.trouble else None
    message = (state.record.error or "") if failure else ""
    held = state.held and _work_left(state, moment)
    return Rest(state.summary, failure, message, state.record.next_sync_at, held)


def on_landed(state: MailboxState, result: LandingResult) -> MailboxState:
    """Take in what the store did; begin a folder anew if the server has silently begun its listing anew."""
    landing = state.doing.landing if isinstance(state.doing, Land) else None
    moved = landing is not None and (landing.folder_record is not None or landing.emails is not None)
    if landing is not None and landing.emails is not None and landing.emails.num_rows:
        state = replace(state, blame=_ANY)  # those that cannot be read beside this one are to blame themselves
    summary = replace(
        state.summary,
        steps=state.summary.steps + moved,
        inserted=state.summary.inserted + result.inserted,
        updated=state.summary.updated + result.updated,
        deleted=state.summary.deleted + result.deleted,
    )
    state = replace(state, doing=None, summary=summary, pending=newest_first((*state.pending, *result.queued)))
    state = holding.forget_gone(state)
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
    if result.relisted and not reconciling:
        folder = replace(folder, ahead=Ahead(folder.ahead.asked, folder.ahead.after))
    if folder.record.relisted and not folder.draining and not folder.ahead.owed:
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
        or any(folder.due or folder.draining or folder.unconfirmed for folder in state.folders)
        or any(entry.next_attempt_at <= moment.now and entry.folder_id in known for entry in state.quarantined)
    )


def _conclude(state: MailboxState, moment: Moment) -> MailboxState:
    if state.closing:
        return state
    if state.trouble is not None:
        return failing.fail(state, moment, cut_short=False)
    record = replace(
        state.record,
        status=MailboxStatus.SYNCED,
        last_success_at=moment.now,
        next_sync_at=_second_try(state, moment),
        failing_since=None,
        attempts=0,
        error_code=None,
        error=None,
        error_at=None,
    )
    blame = min(state.blame, 1)
    return replace(state, record=record, dirty_mailbox=True, closing=True, stumbled=None, blame=blame)


def _second_try(state: MailboxState, moment: Moment) -> datetime | None:
    """When an item that is set aside is tried again: nobody else may ask for a pass by then."""
    known = {folder.record.folder_id for folder in state.folders}
    times = (entry.next_attempt_at for entry in state.quarantined if entry.folder_id in known)
    return min((at for at in times if at > moment.now), default=None)
