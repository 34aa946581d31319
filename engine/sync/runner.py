"""Does what the machine asks for, one action at a time. Holds no decisions."""

from collections.abc import Callable, Iterable

import structlog

from engine.errors import MailroomError
from engine.ports import Clock, LandingStore, MailSource
from engine.sync.actions import (
    Action,
    Deactivate,
    Event,
    Failed,
    FetchItems,
    FoldersResolved,
    ItemsFetched,
    Land,
    Landed,
    PageRead,
    ReadPage,
    ResolveFolders,
    Rest,
    Subscribe,
    Subscribed,
    SyncAsked,
    Wish,
)
from engine.sync.lanes import Lanes, lane_of
from engine.sync.machine import accept, step
from engine.sync.state import MailboxState

_log = structlog.get_logger(__name__)


class Runner:
    """Runs passes of mailboxes against one source and one store, within the lanes they share."""

    def __init__(self, source: MailSource, store: LandingStore, lanes: Lanes, clock: Clock) -> None:
        self._source = source
        self._store = store
        self._lanes = lanes
        self._clock = clock

    async def run_pass(
        self, state: MailboxState, wish: Wish, new_wishes: Callable[[], Iterable[Wish]]
    ) -> tuple[MailboxState, Rest | Deactivate]:
        """From rest to rest. ``new_wishes`` gives (and forgets) what has been asked for since it was last called."""
        event: Event = wish
        urgent = isinstance(wish, SyncAsked) and wish.urgent
        while True:
            state, action = step(state, event, self._clock.moment())
            if isinstance(action, Rest | Deactivate):
                return state, action
            event = await self._perform(state, action, urgent=urgent)
            for wished in new_wishes():
                urgent = urgent or (isinstance(wished, SyncAsked) and wished.urgent)
                state = accept(state, wished)

    async def _perform(self, state: MailboxState, action: Action, *, urgent: bool) -> Event:
        try:
            if isinstance(action, Land):
                return Landed(await self._store.land(action.landing))
            async with self._lanes.slot(lane_of(state, action, urgent=urgent)):
                return await self._request(state.operator.email, action)
        except MailroomError as error:
            return Failed(error)
        except Exception as error:  # noqa: BLE001  # a mistake of ours is this mailbox's trouble, not its host's
            _log.exception("action failed", operator=state.operator.operator_id, action=type(action).__name__)
            return Failed(MailroomError(f"{type(error).__name__}: {error}"))

    async def _request(self, mailbox: str, action: Action) -> Event:
        match action:
            case ResolveFolders(names):
                return FoldersResolved(await self._source.resolve_folders(mailbox, names))
            case Subscribe(folders, callback_url, status_frequency):
                made = await self._source.subscribe(mailbox, folders, callback_url, status_frequency)
                return Subscribed(*made)
            case ReadPage(folder, token, limit):
                return PageRead(await self._source.read_changes(mailbox, folder, token, limit))
            case FetchItems(folder=folder, item_ids=item_ids):
                return ItemsFetched(await self._source.fetch_items(mailbox, folder, item_ids))
            case _:
                raise TypeError(f"not a request: {action}")
