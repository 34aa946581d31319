"""New mail does not wait for the end of a long listing: the newest items are looked for beside it, and landed.

A listing of everything takes a request for each 512 items, and where the new mail stands in it is the server's affair.
So when a notice comes meanwhile, the newest items are found and fetched between two pages. The token does not move: the
listing will come to them as well, and need not fetch them again.

An item that is landed so and deleted before the listing has come to it may never be told of. So the folder's record
says ``relisted`` from then on: it is to be listed once more, should nobody remember. Whoever remembers drains once more
after the listing, asks for those that no page has told of, and takes the word back.
"""

from dataclasses import replace

from engine.errors import AuthenticationFailed, MailroomError, Throttled
from engine.failures import Action, failure_for
from engine.model import Change, FetchedItems, Landing, Moment
from engine.sync import closing, folders, plan, settle
from engine.sync.actions import FetchItems, FindNewest
from engine.sync.plan import SiftedPage
from engine.sync.retry import is_standing
from engine.sync.state import NOTHING_AHEAD, FolderState, MailboxState

NEWEST = 32
"""How many items one look asks for."""

EVERY = 3
"""Pages from one look of a folder to the next, at least: whoever is told of new mail all the time still gets on."""


def ask(folder: FolderState) -> FolderState:
    """A notice has come."""
    return folder if folder.ahead.asked else replace(folder, ahead=replace(folder.ahead, asked=True))


def begin(folder: FolderState) -> FolderState:
    """A pass begins: a page must be read in it before a look, or a listing that gets nowhere would seem to get on."""
    return folder if folder.ahead.after == 1 else replace(folder, ahead=replace(folder.ahead, after=1))


def look(state: MailboxState) -> MailboxState | None:
    """Look for new mail, if somebody has asked, where a listing of many pages is under way.

    While the mailbox is held there is no such listing: see ``engine.sync.holding``.
    """
    if state.held or not any(folder.listing and folder.draining for folder in state.folders):
        return None
    read = state.summary.pages
    for folder in state.folders:
        ahead = folder.ahead
        if ahead.asked and folder.listing and not folder.forget_seen and read >= ahead.after:
            looked = replace(folder, ahead=replace(ahead, asked=False, after=read + EVERY))
            asking = FindNewest(folder.folder, min(NEWEST, state.policy.fetch_items))
            return replace(state.with_folder(looked), doing=asking)
    return None


def check(state: MailboxState) -> MailboxState | None:
    """Ask for what was landed ahead and no page has told of: it is there, or it is gone."""
    for folder in state.folders:
        if folder.unconfirmed:
            item_ids = tuple(sorted(folder.unconfirmed))[: state.policy.fetch_items]
            return replace(state, doing=FetchItems(folder.folder, item_ids, ahead=True))
    return None


def on_found(state: MailboxState, found: tuple[Change, ...], moment: Moment) -> MailboxState:
    """Fetch those of the newest items that have not been landed ahead already, as far as one request goes."""
    looking = state.doing
    if not isinstance(looking, FindNewest):
        raise TypeError(f"items were found while doing {looking}")
    folder = state.folder_state(looking.folder.folder_id)
    new = [
        change
        for change in found
        if (change.received_at is None or change.received_at >= state.window_start)
        and folder.ahead.landed.get(change.item_id) != change.change_key
        and state.quarantined_item(change.item_id) is None
    ]
    requests = plan.pages_to_fetch(new, looking.folder.folder_id, state.policy, moment.fresh_id)
    if not requests:
        return replace(state, doing=None)
    if len(requests) > 1:
        state = state.with_folder(ask(folder))
    return replace(state, doing=FetchItems(looking.folder, requests[0].item_ids, ahead=True))


def on_items(state: MailboxState, fetching: FetchItems, items: FetchedItems, moment: Moment) -> MailboxState:
    """Land what was fetched ahead of the listing, or to see whether it is still there."""
    folder = state.folder_state(fetching.folder.folder_id)
    ids, keys = (items.emails.column(name).to_pylist() for name in ("item_id", "change_key"))
    fetched = dict(zip(ids, keys, strict=True))
    gone = folder.ahead.unlisted.intersection(items.missing)
    listed_before = {
        item_id for page in state.pending if page.folder_id == folder.record.folder_id for item_id in page.item_ids
    }
    amended, emptied = plan.without(state.pending, folder.record.folder_id, frozenset(fetched))
    if folder.listing:
        owed = folder.ahead.owed or not folder.record.relisted
        new = fetched.keys() - listed_before - folder.ahead.landed.keys() if owed else frozenset()
        ahead = replace(
            folder.ahead,
            landed=folder.ahead.landed | fetched,
            unlisted=(folder.ahead.unlisted | new) - gone,
            owed=owed,
        )
        folder = replace(folder, ahead=ahead, record=replace(folder.record, relisted=True))
    elif any(item.passing for item in items.unreadable):
        folder = replace(folder, ahead=NOTHING_AHEAD)  # nothing is known of them: the folder is listed once more
    else:
        rest = folder.ahead.unlisted.difference(fetching.item_ids)
        folder = _settled(replace(folder, ahead=replace(folder.ahead, unlisted=rest)))
    landing = Landing(
        state.operator.operator_id,
        state.epoch,
        folder=fetching.folder,
        deleted=tuple(sorted(gone)),
        finished_pages=emptied,
        amended_pages=amended,
        seen=tuple(fetched) if folder.record.reconciling else (),
        folder_record=folder.record,
    )
    changed = {*(page.page_id for page in amended), *emptied}
    rest_pending = tuple(page for page in state.pending if page.page_id not in changed)
    state = replace(state.with_folder(folder), pending=(*rest_pending, *amended))
    state, landing = settle.settle(state, landing, items, gone, moment)
    return closing.land(state, landing, moment)


def sift(folder: FolderState, sifted: SiftedPage) -> SiftedPage:
    """A page without what has landed ahead of it: to list that is no sign of a server that has begun anew."""
    ahead = folder.ahead
    if not ahead.landed:
        return sifted
    return replace(
        sifted,
        fetch=tuple(change for change in sifted.fetch if ahead.landed.get(change.item_id) != change.change_key),
        creates={item_id: key for item_id, key in sifted.creates.items() if item_id not in ahead.unlisted},
    )


def on_listed(folder: FolderState, sifted: SiftedPage, *, last: bool) -> FolderState:
    """A page, sifted, has told of items. After the last one of a listing, another drain is due if some are missing."""
    ahead = folder.ahead
    if ahead.landed:
        told = frozenset((*sifted.listed, *sifted.deleted))
        landed = {item_id: key for item_id, key in ahead.landed.items() if item_id not in sifted.deleted}
        ahead = replace(ahead, landed=landed, unlisted=ahead.unlisted - told)
    if not last:
        return replace(folder, ahead=ahead)
    ahead = replace(ahead, asked=False)
    if ahead.owed and ahead.unlisted:
        return replace(folder, ahead=ahead, due=folder.due or folder.listing)
    return _settled(replace(folder, ahead=ahead))


def _settled(folder: FolderState) -> FolderState:
    """Take back the word that the folder is to be listed once more, when all that it was given for is known."""
    if folder.ahead.unlisted:
        return folder
    relisted = folder.record.relisted and not folder.ahead.owed
    return replace(folder, ahead=NOTHING_AHEAD, record=replace(folder.record, relisted=relisted))


def on_failed(state: MailboxState, error: MailroomError) -> MailboxState | None:
    """A look that failed is a short cut missed, unless the next request would fail of the same; None: it ends the pass.

    What cannot be checked is found out by listing the folder once more.
    """
    doing = state.doing
    if not isinstance(doing, FindNewest) and not (isinstance(doing, FetchItems) and doing.ahead):
        return None
    folder = state.folder_state(doing.folder.folder_id)
    if folder.listing:
        of_all = isinstance(error, Throttled | AuthenticationFailed) or is_standing(error)
        return None if of_all else replace(state, doing=None)
    if failure_for(error).action is Action.QUARANTINE:
        return replace(state, doing=None).with_folder(folders.begin_anew(folder))
    return None
