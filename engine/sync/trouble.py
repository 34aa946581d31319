"""An action did not work: what the mailbox does about it, by ``engine.failures`` and by what was under way."""

from dataclasses import replace

from engine.columns import NO_ATTACHMENTS, NO_EMAILS
from engine.errors import (
    AuthenticationFailed,
    FolderMissing,
    MailroomError,
    RequestRefused,
    SourceUnavailable,
    Throttled,
)
from engine.failures import Action, failure_for
from engine.model import FetchedItems, Landing, Moment, UnreadableItem
from engine.sync import closing, drain, failing, folders, hydrate, peek, plan, subscribe
from engine.sync.actions import Deactivate, FetchItems, Land, ReadPage, Subscribe
from engine.sync.retry import is_standing
from engine.sync.signs import sign_of
from engine.sync.state import MailboxState

_PATIENCE = 4
"""Failed passes in a row, without progress or of the same item, after which a single item is taken to be the cause."""


def on_failed(state: MailboxState, error: MailroomError, moment: Moment) -> MailboxState:  # noqa: PLR0911  # one return a rule
    """Decide what a failure leads to."""
    doing = state.doing
    action = failure_for(error).action
    if isinstance(doing, Land) or action is Action.DEACTIVATE:
        # Whether the landing is durable is not known here; the next activation reads what is.
        return replace(state, doing=Deactivate(error))
    if isinstance(doing, Subscribe):
        return subscribe.on_refused(state, error, moment)
    if (missed := peek.on_failed(state, error)) is not None:
        return missed
    if isinstance(doing, ReadPage | FetchItems) and isinstance(error, FolderMissing) and not state.resolved_again:
        return _resolve_again(state)
    if isinstance(doing, ReadPage):
        folder = state.folder_state(doing.folder.folder_id)
        if action is Action.RESYNC and not folder.restarted and doing.token is not None:
            return replace(state, doing=None).with_folder(replace(folders.begin_anew(folder), restarted=True))
        if action is Action.QUARANTINE and doing.limit > 1:
            return replace(state, doing=None).with_folder(replace(folder, limit=doing.limit // 2))
    if isinstance(doing, FetchItems) and (action is Action.QUARANTINE or _hopeless(state, doing, error)):
        return _ask_for_less(state, doing, error, moment)
    if isinstance(doing, ReadPage) and _may_be_the_folder(state, doing, error):
        folder = replace(state.folder_state(doing.folder.folder_id), due=False, draining=False)
        return replace(state, doing=None, trouble=error).with_folder(folder)
    return _give_up(state, error, moment)


def _resolve_again(state: MailboxState) -> MailboxState:
    """A folder's id is not valid any more: it may have been replaced by one of the same name."""
    return replace(
        state,
        doing=None,
        resolved=False,
        resolved_again=True,
        folders=tuple(replace(folder, due=True) for folder in state.folders),
    )


def _ask_for_less(state: MailboxState, doing: FetchItems, error: MailroomError, moment: Moment) -> MailboxState:
    """Halve what is asked for until the item that cannot be read stands alone, then set it aside."""
    folder = state.folder_state(doing.folder.folder_id)
    if len(doing.item_ids) == 1:
        bad = UnreadableItem(doing.item_ids[0], error.code or failure_for(error).code, str(error))
        if not _is_aside(state, doing) and failure_for(error).action is not Action.QUARANTINE:
            state = replace(state, blame=state.blame - 1)
        return hydrate.on_items(state, FetchedItems(NO_EMAILS, NO_ATTACHMENTS, unreadable=(bad,)), moment)
    if doing.direct is not None:
        return drain.land_page(state, folder, doing.direct, None, moment)
    state, landing = _halved(state, doing, moment)
    return closing.land(state, landing, moment)


def _may_be_the_folder(state: MailboxState, doing: ReadPage, error: MailroomError) -> bool:
    """Whether to see to the rest of the mailbox before the pass fails: new mail shall not wait for a sick folder.

    The next failure of the pass ends it, whatever it is of.
    """
    if state.trouble is not None or not isinstance(error, SourceUnavailable | RequestRefused) or sign_of(error):
        return False
    others = {folder.record.folder_id for folder in state.folders} - {doing.folder.folder_id}
    return any(folder.due or folder.draining for folder in state.folders if folder.record.folder_id in others) or any(
        page.folder_id in others for page in state.pending
    )


def _may_be_the_item(state: MailboxState, doing: FetchItems, error: MailroomError) -> bool:
    """Whether Exchange answers everything but this one item."""
    of_all = isinstance(error, Throttled | AuthenticationFailed) or is_standing(error)
    return len(doing.item_ids) == 1 and state.summary.pages > 0 and not of_all


def _is_aside(state: MailboxState, doing: FetchItems) -> bool:
    return len(doing.item_ids) == 1 and state.quarantined_item(doing.item_ids[0]) is not None


def _hopeless(state: MailboxState, doing: FetchItems, error: MailroomError) -> bool:
    """Whether it is this one item that Exchange stumbles over, time after time.

    Where new mail keeps passes from failing without progress, the failures of the item itself are counted. One that is
    set aside already has had its attempts. Where nothing at all can be fetched, items are not what is wrong: after one
    of them it is the mailbox that fails, until an email has been read.
    """
    if not _may_be_the_item(state, doing, error):
        return False
    if _is_aside(state, doing):
        return True
    item_id, times = state.stumbled or ("", 0)
    patient = state.record.attempts >= _PATIENCE or (item_id == doing.item_ids[0] and times >= _PATIENCE)
    return patient and state.blame > 0


def _stumble(state: MailboxState, doing: FetchItems, error: MailroomError) -> MailboxState:
    if not _may_be_the_item(state, doing, error):
        return state
    item_id, times = state.stumbled or ("", 0)
    return replace(state, stumbled=(doing.item_ids[0], times + 1 if item_id == doing.item_ids[0] else 1))


def _halved(state: MailboxState, doing: FetchItems, moment: Moment) -> tuple[MailboxState, Landing]:
    page = next(page for page in state.pending if page.page_id == doing.page_id)
    first, second = plan.halves(page, moment.fresh_id)
    rest = tuple(other for other in state.pending if other.page_id != page.page_id)
    fresh = state.fresh | {second.page_id} if page.page_id in state.fresh else state.fresh
    landing = Landing(
        state.operator.operator_id, state.epoch, folder=doing.folder, amended_pages=(first,), queued=(second,)
    )
    return replace(state, pending=(first, *rest), fresh=fresh), landing


def _give_up(state: MailboxState, error: MailroomError, moment: Moment) -> MailboxState:
    """End the pass; the record says why and when the next one is due.

    A fetch that has failed before asks for less next time: a budget that always runs out in the middle of a page, or
    an item that breaks the connection, would else stop the mailbox for good.
    """
    doing, landing = state.doing, Landing(state.operator.operator_id, state.epoch)
    if isinstance(doing, FetchItems):
        state = _stumble(state, doing, error)
    if isinstance(doing, FetchItems) and doing.page_id and len(doing.item_ids) > 1 and state.record.attempts:
        state, landing = _halved(state, doing, moment)
    state = subscribe.postpone(failing.fail(replace(state, trouble=error), moment, cut_short=True), moment)
    return closing.land(state, landing, moment)
