"""Does what the machine asks for, one action at a time. Holds no decisions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog

from engine.errors import MailroomError
from engine.model import OperatorId
from engine.ports import Clock, LandingStore, MailSource
from engine.sync.actions import (
    Action,
    Deactivate,
    Event,
    Failed,
    FetchItems,
    FindNewest,
    FoldersResolved,
    ItemsFetched,
    Land,
    Landed,
    NewestFound,
    PageRead,
    ReadPage,
    ResolveFolders,
    Rest,
    Subscribe,
    Subscribed,
    SyncAsked,
    Wish,
)
from engine.sync.lanes import Lane, lane_of
from engine.sync.machine import accept, step
from engine.sync.state import MailboxState

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Way(Protocol):
    """The way to Exchange: ``endpoint.Endpoint``, or bare ``lanes.Lanes`` where nothing else is to be had."""

    async def ask(
        self, lane: Lane, operator_id: OperatorId, request: Callable[[], Awaitable[T]], *, paced: bool = False
    ) -> T:
        """Make a request of a mailbox when its turn has come; ``paced``: one of many alike, not all at once."""
        ...


@dataclass(slots=True)
class Mailbox:
    """One mailbox in memory: its state, kept up to date while a pass is under way, and the inbox of what is asked."""

    state: MailboxState
    wishes: list[Wish] = field(default_factory=list)

    def take_wishes(self) -> list[Wish]:
        """Empty the inbox."""
        taken, self.wishes = self.wishes, []
        return taken


class Runner:
    """Runs passes of mailboxes against one source and one store, by the way they share."""

    def __init__(self, source: MailSource, store: LandingStore, way: Way, clock: Clock) -> None:
        self._source = source
        self._store = store
        self._way = way
        self._clock = clock

    async def run_pass(self, mailbox: Mailbox, wish: Wish) -> Rest | Deactivate:
        """From rest to rest; what is put into the inbox meanwhile is seen to as well."""
        event: Event = wish
        urgent = isinstance(wish, SyncAsked) and wish.urgent
        while True:
            action = self._step(mailbox, event)
            if isinstance(action, Rest | Deactivate):
                return action
            event = await self._perform(mailbox.state, action, urgent=urgent)
            for wished in mailbox.take_wishes():
                urgent = urgent or (isinstance(wished, SyncAsked) and wished.urgent)
                mailbox.state = accept(mailbox.state, wished)

    def _step(self, mailbox: Mailbox, event: Event) -> Action:
        moment = self._clock.moment()
        try:
            mailbox.state, action = step(mailbox.state, event, moment)
        except Exception as error:
            operator_id = mailbox.state.operator.operator_id
            _log.exception("no next step", operator=operator_id, given=type(event).__name__)
            if isinstance(event, Failed):
                raise
            mailbox.state, action = step(mailbox.state, Failed(_internal(error)), moment)
        return action

    async def _perform(self, state: MailboxState, action: Action, *, urgent: bool) -> Event:
        try:
            if isinstance(action, Land):
                return Landed(await self._store.land(action.landing))
            return await self._way.ask(
                lane_of(state, action, urgent=urgent),
                state.operator.operator_id,
                lambda: self._request(state.operator.email, action),
                paced=isinstance(action, Subscribe),
            )
        except MailroomError as error:
            return Failed(error)
        except Exception as error:  # noqa: BLE001  # a mistake of ours is this mailbox's trouble, not its host's
            _log.exception("action failed", operator=state.operator.operator_id, action=type(action).__name__)
            return Failed(_internal(error))

    async def _request(self, mailbox: str, action: Action) -> Event:
        match action:
            case ResolveFolders(names):
                return FoldersResolved(await self._source.resolve_folders(mailbox, names))
            case Subscribe(folders, callback_url, status_frequency):
                made = await self._source.subscribe(mailbox, folders, callback_url, status_frequency)
                return Subscribed(*made)
            case ReadPage(folder, token, limit):
                return PageRead(await self._source.read_changes(mailbox, folder, token, limit))
            case FindNewest(folder, limit):
                return NewestFound(await self._source.find_newest(mailbox, folder, limit))
            case FetchItems(folder=folder, item_ids=item_ids):
                return ItemsFetched(await self._source.fetch_items(mailbox, folder, item_ids))
            case _:
                raise TypeError(f"not a request: {action}")


def _internal(error: Exception) -> MailroomError:
    return MailroomError(f"{type(error).__name__}: {error}")
