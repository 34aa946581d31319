"""The mailbox's sync as a state machine: ``step``, ``accept``, ``hold`` and ``retune`` are its only doors; none raises.

One pass, from rest to rest (each arrow one action and its answer; a failure may follow any of them)::

    rest ──SyncAsked──▶ ResolveFolders ─▶ Subscribe? ─▶ ┌▶ ReadPage ─▶ FetchItems (few, last page) ─▶ Land ─┐
                                                        │      └────────▶ Land (token, ids to fetch) ───────┤
                                                        ├▶ FindNewest ─▶ FetchItems ─▶ Land ────────────────┤
                                                        ├── a folder is due or mid-drain ◀───────────────────┤
                                                        ├▶ FetchItems (newest pending page) ─▶ Land ─────────┤
                                                        ├▶ FetchItems (one quarantined item) ─▶ Land ────────┤
                                                        └▶ Land (mailbox record, unless it went along) ─▶ Rest

What to do next is chosen anew after every landing, drains before fetches, so a notice that comes in the middle of a
backfill is served before the backfill's next page. A token moves only in the landing that holds what it covers.
New mail beside a long listing (``FindNewest``): see ``engine.sync.peek``. Failures: see ``engine.sync.trouble``. A
mailbox that is held leaves its backfill: see ``engine.sync.holding``.
"""

from dataclasses import replace

from engine.model import MailboxStatus, Moment
from engine.sync import closing, drain, folders, holding, hydrate, peek, subscribe, trouble
from engine.sync.actions import (
    Action,
    Event,
    Failed,
    FetchItems,
    FoldersResolved,
    ItemsFetched,
    Land,
    Landed,
    NewestFound,
    PageRead,
    PassSummary,
    ReadPage,
    ResolveFolders,
    SubscribeAsked,
    Subscribed,
    SyncAsked,
    Wish,
)
from engine.sync.policy import SyncPolicy
from engine.sync.state import MailboxState


def accept(state: MailboxState, event: Wish) -> MailboxState:
    """Note a wish while something is under way; the pass will see to it before it rests."""
    if isinstance(event, SubscribeAsked):
        return replace(state, subscribe=event)
    due = (peek.ask(folder) if event.urgent else folder for folder in state.folders)
    return replace(state, folders=tuple(replace(folder, due=True) for folder in due))


def hold(state: MailboxState, held: bool) -> MailboxState:
    """Hold the backfill, or let it go on: a pass under way stops at its next page, or does not stop any more.

    Letting go asks for nothing: the next ``SyncAsked`` takes up what was left.
    """
    return replace(state, held=held)


def retune(state: MailboxState, policy: SyncPolicy) -> MailboxState:
    """Go on by another policy: page sizes hold from the next page on, folders and window from the next pass on."""
    size = state.policy.batch_size
    return replace(
        state,
        policy=policy,
        incomplete=state.incomplete or policy.folders != state.policy.folders,
        folders=tuple(
            replace(folder, limit=policy.batch_size) if folder.limit == size else folder for folder in state.folders
        ),
    )


def step(state: MailboxState, event: Event, moment: Moment) -> tuple[MailboxState, Action]:
    """Take an event in, say what to do next. ``Rest`` and ``Deactivate`` end the pass."""
    match event:
        case SyncAsked() | SubscribeAsked():
            state = accept(_begin(state, moment), event)
        case FoldersResolved():
            state = folders.on_resolved(state, event.folders)
        case Subscribed():
            state = subscribe.on_subscribed(state, event, moment)
        case PageRead():
            state = drain.on_page(state, event.page, moment)
        case NewestFound():
            state = peek.on_found(state, event.found, moment)
        case ItemsFetched():
            state = hydrate.on_items(state, event.items, moment)
        case Landed():
            state = closing.on_landed(state, event.result)
        case Failed():
            state = trouble.on_failed(state, event.error, moment)
    return _next(state, moment)


def _begin(state: MailboxState, moment: Moment) -> MailboxState:
    """The start of a pass: forget the last one's counts, fix the window.

    A wider window is durable only after every folder is known to begin anew: a crash in between must not leave a
    folder that never lists what the window now takes in.
    """
    state = replace(
        state,
        resolved=state.resolved and not state.incomplete,
        summary=PassSummary(),
        trouble=None,
        closing=False,
        read=frozenset(),
        listed=False,
        resolved_again=False,
        doing=None,
        folders=tuple(replace(peek.begin(folder), restarted=False) for folder in state.folders),
    )
    wanted = moment.now - state.policy.sync_from
    known = state.record.window_start
    if known is not None and (known <= wanted or state.held):
        return state  # a wider window is a backfill
    widened = known is not None
    state = replace(state, record=replace(state.record, window_start=wanted), dirty_mailbox=True)
    if state.record.status is MailboxStatus.NEW:
        state = replace(state, record=replace(state.record, status=MailboxStatus.SYNCING))
    return folders.relist_all(state) if widened else state


def _next(state: MailboxState, moment: Moment) -> tuple[MailboxState, Action]:
    """What a handler has decided already, else the most urgent thing left to do, else the end of the pass."""
    if state.doing is not None:
        return state, state.doing
    failed = state.closing and state.trouble is not None
    chosen = None if failed else _choose(state, moment)
    if chosen is not None:
        chosen = replace(chosen, closing=False)
    elif not state.closing:
        chosen = closing.close(state, moment)
    else:
        chosen = replace(state, doing=closing.rest(state, moment))
    if chosen.doing is None:
        raise AssertionError("the machine chose nothing to do")
    return chosen, chosen.doing


def _choose(state: MailboxState, moment: Moment) -> MailboxState | None:
    return _prepare(state, moment) or peek.look(state) or _drain(state) or peek.check(state) or _fetch(state, moment)


def _prepare(state: MailboxState, moment: Moment) -> MailboxState | None:
    if state.parked:
        return replace(state, parked=state.parked[1:], doing=Land(state.parked[0]))
    if not state.resolved:
        return replace(state, doing=ResolveFolders(state.policy.folders))
    if state.subscribe is not None and state.folders:
        return subscribe.ask(state, state.subscribe, moment)
    return None


def _drain(state: MailboxState) -> MailboxState | None:
    wanted = [folder for folder in state.folders if folder.due or folder.draining]
    wanted = [folder for folder in wanted if holding.may_drain(state, folder)]
    if not wanted:
        return None
    # Few changes before a long listing: new mail of one folder does not wait for another's backfill.
    folder = min(wanted, key=lambda folder: folder.draining or not folder.record.drained)
    reading = ReadPage(folder.folder, folder.record.token, min(folder.limit, state.policy.batch_size))
    # What is asked for in the middle of a drain is not covered by it: a server may give what was there when it began.
    due = folder.due and folder.draining
    return replace(state.with_folder(replace(folder, due=due, draining=True)), doing=reading)


def _fetch(state: MailboxState, moment: Moment) -> MailboxState | None:
    known = {folder.record.folder_id: folder.folder for folder in state.folders}
    pages = (page for page in state.pending if page.folder_id in known and holding.may_fetch(state, page))
    page = next(pages, None)
    if page is not None:
        return replace(state, doing=FetchItems(known[page.folder_id], page.item_ids, page.page_id))
    for entry in () if state.held else state.quarantined:
        if entry.next_attempt_at <= moment.now and entry.folder_id in known:
            return replace(state, doing=FetchItems(known[entry.folder_id], (entry.item_id,)))
    return None
