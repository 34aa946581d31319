"""A page of changes comes in.

Its items are fetched at once and all lands in one transaction (the everyday case), or the token lands and what is to be
fetched is queued.
"""

from dataclasses import replace

from engine.errors import FolderSuddenlyEmpty, RequestRefused
from engine.model import ChangePage, FetchedItems, Landing, Moment
from engine.sync import closing, failing, holding, peek, plan, settle
from engine.sync.actions import FetchItems, ReadPage
from engine.sync.state import NOTHING_AHEAD, FolderState, MailboxState


def on_page(state: MailboxState, page: ChangePage, moment: Moment) -> MailboxState:
    """Decide what a page leads to."""
    reading = state.doing
    if not isinstance(reading, ReadPage):
        raise TypeError(f"a page came in while doing {reading}")
    folder = replace(state.folder_state(reading.folder.folder_id), limit=state.policy.batch_size)
    if not page.last and not page.changes and page.token == reading.token:
        stuck = RequestRefused("Exchange says there are more changes and gives none, with the same sync state.")
        failed = failing.fail(replace(state, trouble=stuck), moment, cut_short=True)
        return closing.land(failed, _nothing(state), moment)
    state = replace(state, read=state.read | {folder.record.folder_id})
    if _nothing_new(folder, page):
        summary = replace(state.summary, pages=state.summary.pages + 1)
        rested = replace(folder, draining=False, ahead=NOTHING_AHEAD)
        return replace(state, doing=None, summary=summary).with_folder(rested)
    sifted = peek.sift(folder, plan.sift(page, state.window_start))
    state = state.with_folder(folder)
    requests = plan.pages_to_fetch(sifted.fetch, folder.record.folder_id, state.policy, moment.fresh_id)
    at_once = page.last and not folder.record.reconciling and len(requests) == 1 and not state.record.attempts
    if at_once and holding.may_drain(state, folder):
        item_ids = tuple(change.item_id for change in sifted.fetch)
        return replace(state, doing=FetchItems(reading.folder, item_ids, direct=page))
    return land_page(state, folder, page, None, moment)


def _nothing_new(folder: FolderState, page: ChangePage) -> bool:
    """Whether a page leaves nothing to write down: idle mailboxes are looked at again and again."""
    record = replace(folder.record, token=page.token, drained=True, reconciling=False, empty_seen_at=None)
    settled = record == folder.record and not folder.record.relisted
    return page.last and not page.changes and settled


def land_page(
    state: MailboxState, folder: FolderState, page: ChangePage, items: FetchedItems | None, moment: Moment
) -> MailboxState:
    """Land a page: with its items if they have been fetched, else with the ids queued."""
    sifted = peek.sift(folder, plan.sift(page, state.window_start))
    reconciling = folder.record.reconciling
    listed_any = folder.listed_any or bool(sifted.listed)
    if reconciling and page.last and not listed_any and folder.landed > 0 and not _confirmed(folder, moment, state):
        return _look_again(state, folder, moment)
    told = peek.on_listed(folder, sifted, last=page.last)
    record = replace(
        told.record,
        token=page.token,
        drained=folder.record.drained or page.last,
        reconciling=reconciling and not page.last,
        empty_seen_at=None if page.last else folder.record.empty_seen_at,
    )
    amended, emptied = plan.without(state.pending, folder.record.folder_id, frozenset(sifted.deleted))
    fresh = () if items else plan.pages_to_fetch(sifted.fetch, folder.record.folder_id, state.policy, moment.fresh_id)
    dropped = _superseded(state, folder) if folder.forget_seen else ()
    landing = Landing(
        state.operator.operator_id,
        state.epoch,
        folder=folder.folder,
        deleted=sifted.deleted,
        read_flags=sifted.read_flags,
        amended_pages=tuple(one for one in amended if one.page_id not in dropped),
        finished_pages=tuple(dict.fromkeys((*emptied, *dropped))),
        queued=fresh,
        listed=sifted.creates,
        seen=sifted.listed if reconciling else (),
        forget_seen=folder.forget_seen,
        reconciled=reconciling and page.last,
        folder_record=record,
    )
    gone = {*(one.page_id for one in amended), *landing.finished_pages}
    state = replace(
        holding.remember(state, folder, fresh),
        pending=(*(one for one in state.pending if one.page_id not in gone), *landing.amended_pages),
        summary=replace(state.summary, pages=state.summary.pages + 1),
        listed=state.listed or not folder.record.drained,
    ).with_folder(replace(told, record=record, draining=not page.last, listed_any=listed_any, forget_seen=False))
    state, landing = settle.settle(state, landing, items, frozenset(sifted.deleted), moment)
    return closing.land(state, landing, moment)


def _confirmed(folder: FolderState, moment: Moment, state: MailboxState) -> bool:
    seen = folder.record.empty_seen_at
    return seen is not None and moment.now - seen >= state.policy.first_backoff / 2


def _look_again(state: MailboxState, folder: FolderState, moment: Moment) -> MailboxState:
    """Delete nothing yet: the token stays where it was, and the next attempt looks a second time."""
    record = replace(folder.record, token=None, empty_seen_at=folder.record.empty_seen_at or moment.now)
    trouble = FolderSuddenlyEmpty(
        f"The folder {folder.record.name} of {state.operator.email} held {folder.landed} landed emails and is now "
        "listed as empty; nothing is deleted until a second look confirms it."
    )
    state = replace(state, trouble=state.trouble or trouble).with_folder(
        replace(folder, record=record, draining=False, due=False)
    )
    landing = replace(_nothing(state), folder=folder.folder, folder_record=record)
    return closing.land(state, landing, moment)


def _superseded(state: MailboxState, folder: FolderState) -> tuple[str, ...]:
    """Pending pages of a folder that is listed anew: everything in them will be listed again."""
    return tuple(page.page_id for page in state.pending if page.folder_id == folder.record.folder_id)


def _nothing(state: MailboxState) -> Landing:
    return Landing(state.operator.operator_id, state.epoch)
