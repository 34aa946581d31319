"""FakeMailSource: an in-memory Exchange behind ``ports.MailSource``, for tests of everything above it.

Pure and deterministic: no clock but the one given, no randomness, no sleeping. Changes are worked out as Exchange does
it: a token remembers what its holder has been told, and a page is the difference to what is there now. So a create and
an update after the token are one Create, and a create and a delete are nothing.

Mailboxes are keyed by address and come into being by ``add_mailbox`` or ``deliver``. Faults are scripted:

- ``fail_next(error)``: the next call (of a method, of a mailbox) raises; ``after=True``: the work is done first and
  only the answer is lost;
- ``unreadable`` / ``unreadable_in_batches`` / ``moody`` / ``vanish``: trouble with one item;
- ``refuse_tokens``: what was handed out so far is ErrorInvalidSyncStateData from now on, or, with ``silently=True``, is
  answered by a full listing as if there had been no token;
- ``pretend_empty``, ``remove_folder``, ``remove_mailbox``: trouble with a folder or mailbox;
- ``snapshots``: what comes in the middle of a drain is told in the next one, though the last page says that it is all;
- ``before_call``: a hook that is called before each call, to change the mailbox in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.errors import ResponseUnreadable, SourceError, SourceUnavailable, SyncTokenRefused
from engine.model import (
    Change,
    ChangeKind,
    ChangePage,
    FetchedItems,
    Folder,
    FolderId,
    ItemId,
    ResolvedFolders,
    SyncToken,
    UnreadableItem,
)
from engine.ports import Clock
from tests.fakes.mailboxes import FakeItem, FakeMailboxes, Version, difference

_BROKEN = "ErrorInternalServerError"


@dataclass(frozen=True)
class Snapshot:
    """What a token stands for: what its holder has been told of a folder; ``until``: in a drain that ends there."""

    mailbox: str
    folder_id: FolderId
    known: dict[ItemId, Version]
    until: int | None = None


@dataclass(frozen=True)
class FakeSubscription:
    """A push subscription as it was asked for."""

    mailbox: str
    subscription_id: str
    folders: tuple[Folder, ...]
    callback_url: str
    status_frequency: int


@dataclass
class _Fault:
    error: SourceError
    method: str | None
    mailbox: str | None
    after: bool
    times: int


class FakeMailSource(FakeMailboxes):
    """See the module's docstring. ``calls`` lists (method, mailbox, what was asked) in order."""

    def __init__(self, clock: Clock | None = None, folders: Sequence[str] = ("inbox", "sentitems")) -> None:
        super().__init__(clock, folders)
        self._tokens: dict[SyncToken, Snapshot] = {}
        self._refused: dict[SyncToken, bool] = {}
        self._faults: list[_Fault] = []
        self._unreadable: dict[ItemId, tuple[str, str]] = {}
        self._indigestible: set[ItemId] = set()
        self._moody: set[ItemId] = set()
        self._vanishing: set[ItemId] = set()
        self._denied: dict[ItemId, int] = {}
        self.calls: list[tuple[str, str, object]] = []
        self.subscriptions: list[FakeSubscription] = []
        self.gives_watermarks = True
        self.snapshots = False
        self.before_call: Callable[[str, str], None] | None = None
        self.closed = False

    # Faults

    def fail_next(
        self,
        error: SourceError,
        *,
        method: str | None = None,
        mailbox: str | None = None,
        after: bool = False,
        times: int = 1,
    ) -> None:
        """Let the next matching call raise ``error``; ``after`` the work is done (the answer was lost on its way)."""
        self._faults.append(_Fault(error, method, mailbox, after, times))

    def clear_faults(self) -> None:
        """Forget the scripted errors and item troubles (not the refused tokens)."""
        self._faults.clear()
        self._unreadable.clear()
        self._indigestible.clear()
        self._moody.clear()
        self._vanishing.clear()
        self._denied.clear()
        for folder in self._all_folders():
            folder.pretend_empty = False

    def unreadable(self, item_id: ItemId, code: str = "ErrorContentConversionFailed", reason: str = "no luck") -> None:
        """Let an item be reported as unreadable by every fetch, until ``readable``."""
        self._unreadable[item_id] = (code, reason)

    def unreadable_in_batches(self, item_id: ItemId) -> None:
        """Let every fetch of this item together with others raise ResponseUnreadable, until ``readable``."""
        self._indigestible.add(item_id)

    def moody(self, item_id: ItemId) -> None:
        """Answer ErrorInternalServerError whenever this item is asked for, until ``readable``."""
        self._moody.add(item_id)

    def readable(self, item_id: ItemId) -> None:
        """End an item's trouble."""
        self._unreadable.pop(item_id, None)
        self._indigestible.discard(item_id)
        self._moody.discard(item_id)

    def vanish(self, item_id: ItemId) -> None:
        """Let an item be deleted at the very moment it is fetched: listed, then missing."""
        self._vanishing.add(item_id)

    def deny(self, item_id: ItemId, times: int) -> None:
        """Say of an item that it is not there, although it is, so many times."""
        self._denied[item_id] = times

    def refuse_tokens(self, mailbox: str, *, silently: bool = False) -> None:
        """Refuse every token of this mailbox handed out so far; ``silently``: list everything instead of an error."""
        self._refused |= {token: silently for token, snapshot in self._tokens.items() if snapshot.mailbox == mailbox}

    def pretend_empty(self, mailbox: str, folder: str = "inbox", *, empty: bool = True) -> None:
        """Let a folder be listed as empty although it is not (its tokens then report deletes)."""
        self._folder(mailbox, folder).pretend_empty = empty

    # ports.MailSource

    async def resolve_folders(self, mailbox: str, names: Sequence[str]) -> ResolvedFolders:
        """See ``ports.MailSource``."""
        lost = self._begin("resolve_folders", mailbox, tuple(names))
        folders = self._mailbox(mailbox)
        found = tuple(Folder(folders[name.lower()].folder.folder_id, name) for name in names if name.lower() in folders)
        _finish(lost)
        return ResolvedFolders(found, tuple(name for name in names if name.lower() not in folders))

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        """See ``ports.MailSource``."""
        lost = self._begin("read_changes", mailbox, (folder.name, token, limit))
        if not 1 <= limit <= 512:
            raise ValueError(f"limit {limit} is not within 1-512")
        present = self._by_id(mailbox, folder)
        known = self._known(mailbox, folder, token)
        items = {} if present.pretend_empty else present.items
        until = self._until(token)
        changes = [one for one in difference(known, items) if one.item_id not in items or _is_by(items, one, until)]
        page, last = changes[:limit], len(changes) <= limit
        told = dict(known)
        for change in page:
            told.pop(change.item_id, None)
            if change.kind is not ChangeKind.DELETE:
                told[change.item_id] = items[change.item_id].version
        goes_on = token is not None and token not in self._refused and self._tokens[token].until is None
        new = token if token is not None and goes_on and not page else SyncToken(f"sync-{self._next()}")
        self._tokens[new] = Snapshot(mailbox, folder.folder_id, told, None if last else until)
        _finish(lost)
        return ChangePage(tuple(page), new, last)

    async def fetch_items(self, mailbox: str, folder: Folder, item_ids: Sequence[ItemId]) -> FetchedItems:
        """See ``ports.MailSource``."""
        lost = self._begin("fetch_items", mailbox, (folder.name, tuple(item_ids)))
        present = [one for one in self._mailbox(mailbox).values() if one.folder.folder_id == folder.folder_id]
        # GetItem does not name the folder: where that is gone, so are its items
        items = present[0].items if present else {}
        asked = tuple(dict.fromkeys(item_ids))
        if len(asked) > 1 and self._indigestible.intersection(asked):
            raise ResponseUnreadable("the answer is not XML")
        for item_id in self._vanishing.intersection(asked).intersection(items):
            self._vanishing.discard(item_id)
            self.delete(mailbox, item_id)
        denied = [item_id for item_id in asked if self._denied.get(item_id, 0)]
        for item_id in denied:
            self._denied[item_id] -= 1
        items = {item_id: item for item_id, item in items.items() if item_id not in denied}
        moody = [item_id for item_id in asked if item_id in items and item_id in self._moody]
        if moody and len(moody) == len(asked):
            raise SourceUnavailable(f"{mailbox}: {_BROKEN}", code=_BROKEN)
        missing = tuple(item_id for item_id in asked if item_id not in items)
        unreadable = tuple(
            UnreadableItem(item_id, *self._unreadable[item_id])
            for item_id in asked
            if item_id in items and item_id in self._unreadable and item_id not in moody
        ) + tuple(UnreadableItem(item_id, _BROKEN, "Oops.", passing=True) for item_id in moody)
        aside = {item.item_id for item in unreadable}
        readable = [items[item_id] for item_id in asked if item_id in items and item_id not in aside]
        attachments = [
            {"item_id": item.row["item_id"], **attachment} for item in readable for attachment in item.attachments
        ]
        _finish(lost)
        return FetchedItems(
            pa.RecordBatch.from_pylist([item.row for item in readable], schema=FETCHED_EMAILS),
            pa.RecordBatch.from_pylist(attachments, schema=FETCHED_ATTACHMENTS),
            missing,
            unreadable,
        )

    async def find_newest(self, mailbox: str, folder: Folder, limit: int) -> tuple[Change, ...]:
        """See ``ports.MailSource``."""
        lost = self._begin("find_newest", mailbox, (folder.name, limit))
        if not 1 <= limit <= 512:
            raise ValueError(f"limit {limit} is not within 1-512")
        present = self._by_id(mailbox, folder)
        creates = difference({}, {} if present.pretend_empty else present.items)
        _finish(lost)
        return tuple(sorted(creates, key=_received_at)[::-1][:limit])

    async def subscribe(
        self, mailbox: str, folders: Sequence[Folder], callback_url: str, status_frequency: int
    ) -> tuple[str, str | None]:
        """See ``ports.MailSource``."""
        lost = self._begin("subscribe", mailbox, (callback_url, status_frequency))
        for folder in folders:
            self._by_id(mailbox, folder)
        subscription_id = f"subscription-{self._next()}"
        self.subscriptions.append(
            FakeSubscription(mailbox, subscription_id, tuple(folders), callback_url, status_frequency)
        )
        _finish(lost)
        return subscription_id, f"watermark-{self._sequence}" if self.gives_watermarks else None

    async def close(self) -> None:
        """See ``ports.MailSource``."""
        self.closed = True

    # Inside

    def _begin(self, method: str, mailbox: str, asked: object) -> SourceError | None:
        self.calls.append((method, mailbox, asked))
        if self.before_call:
            self.before_call(method, mailbox)
        for fault in self._faults:
            if fault.method in (None, method) and fault.mailbox in (None, mailbox):
                fault.times -= 1
                if not fault.times:
                    self._faults.remove(fault)
                if fault.after:
                    return fault.error
                raise fault.error
        return None

    def _until(self, token: SyncToken | None) -> int | None:
        begun = self._tokens.get(token) if token is not None and token not in self._refused else None
        if begun is not None and begun.until is not None:
            return begun.until
        return self._sequence if self.snapshots else None

    def _known(self, mailbox: str, folder: Folder, token: SyncToken | None) -> dict[ItemId, Version]:
        if token is None or self._refused.get(token):
            return {}
        snapshot = self._tokens.get(token)
        if (
            token in self._refused
            or snapshot is None
            or (snapshot.mailbox, snapshot.folder_id)
            != (
                mailbox,
                folder.folder_id,
            )
        ):
            raise SyncTokenRefused(f"{mailbox}: {folder.name}: bad token", code="ErrorInvalidSyncStateData")
        return snapshot.known


def _is_by(items: dict[ItemId, FakeItem], change: Change, until: int | None) -> bool:
    return until is None or items[change.item_id].order <= until


def _received_at(change: Change) -> datetime:
    return change.received_at or datetime.min.replace(tzinfo=UTC)


def _finish(lost: SourceError | None) -> None:
    if lost is not None:
        raise lost
