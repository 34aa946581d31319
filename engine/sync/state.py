"""The state of a mailbox in memory, and how it is made from what the store kept."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from engine.errors import MailroomError
from engine.model import (
    Activation,
    Folder,
    FolderId,
    FolderRecord,
    ItemId,
    Landing,
    MailboxRecord,
    Operator,
    PendingPage,
    QuarantinedItem,
    SubscriptionRecord,
)
from engine.sync.actions import Action, PassSummary, SubscribeAsked
from engine.sync.policy import SyncPolicy


@dataclass(frozen=True, slots=True)
class Ahead:
    """What has been landed ahead of a folder's listing: new mail that came while it was long under way.

    ``asked``: a notice has come since the last look. ``after``: pages this pass must have read before the next one.
    ``landed``: ids with the change_key they have landed with. ``unlisted``: those of them that no page has told of yet.
    ``owed``: the folder's record says ``relisted`` for the sake of these, and of nothing else.
    """

    asked: bool = False
    after: int = 1
    landed: dict[ItemId, str] = field(default_factory=dict)
    unlisted: frozenset[ItemId] = frozenset()
    owed: bool = False


NOTHING_AHEAD = Ahead()
"""One for all: a mailbox at rest has nothing ahead."""


@dataclass(frozen=True, slots=True)
class FolderState:
    """One folder in memory.

    ``due``: a drain is wanted. ``draining``: one is under way, its last page not reached yet. ``landed``: current
    rows, as far as known. ``listed_any``: this reconciling drain has listed something. ``restarted``: the token was
    refused in this pass already. ``forget_seen``: the next landing starts the list of seen items over. ``limit``: page
    size, lowered while pages cannot be read. ``ahead``: see ``engine.sync.peek``.
    """

    record: FolderRecord
    landed: int = 0
    due: bool = True
    draining: bool = False
    listed_any: bool = False
    restarted: bool = False
    forget_seen: bool = False
    limit: int = 512
    ahead: Ahead = NOTHING_AHEAD

    @property
    def listing(self) -> bool:
        """Whether it has everything still to list, not only what has changed."""
        return not self.record.drained or self.record.reconciling

    @property
    def unconfirmed(self) -> frozenset[ItemId]:
        """Items landed ahead of a listing that has come to its end, and a drain after it, without them."""
        through = not (self.listing or self.draining or self.due)
        return self.ahead.unlisted if through else frozenset()

    @property
    def folder(self) -> Folder:
        """The folder as the source knows it."""
        return Folder(self.record.folder_id, self.record.name)


@dataclass(frozen=True, slots=True)
class MailboxState:
    """One mailbox in memory: its durable records, and what this pass has still to do.

    ``doing``: the action under way (one at a time). ``dirty_mailbox`` and ``dirty_subscription``: the record has
    changed and goes along with the next landing. ``trouble``: what goes wrong with part of the mailbox (a missing
    folder) while the rest goes on. ``parked``: landings that let go of folders the
    settings no longer name. ``incomplete``: a folder was missing when they were last resolved, or the settings name
    others now, so the next pass asks again. ``retired``: folders Exchange has replaced by others of the same name.
    ``held``: only what is new is to be done (see ``engine.sync.holding``). ``fresh``: ids of pending pages that a drain
    of what is new has queued. ``read``: folders this pass has read a page of; ``listed``: one of a first listing is
    among them. ``stumbled``: the single item whose fetch failed last, and how often in a row. ``blame``: how many items
    may yet be taken for the cause of failures of a passing kind, before another email has been read.
    """

    operator: Operator
    epoch: int
    policy: SyncPolicy
    record: MailboxRecord
    saved_folders: tuple[FolderRecord, ...] = ()
    landed: tuple[tuple[FolderId, int], ...] = ()
    folders: tuple[FolderState, ...] = ()
    pending: tuple[PendingPage, ...] = ()
    quarantined: tuple[QuarantinedItem, ...] = ()
    subscription: SubscriptionRecord | None = None
    subscribe: SubscribeAsked | None = None
    resolved: bool = False
    incomplete: bool = False
    resolved_again: bool = False
    retired: tuple[FolderId, ...] = ()
    parked: tuple[Landing, ...] = ()
    doing: Action | None = None
    closing: bool = False
    dirty_mailbox: bool = False
    dirty_subscription: bool = False
    held: bool = False
    fresh: frozenset[str] = frozenset()
    read: frozenset[FolderId] = frozenset()
    listed: bool = False
    blame: int = 1
    stumbled: tuple[ItemId, int] | None = None
    trouble: MailroomError | None = None
    summary: PassSummary = field(default_factory=PassSummary)

    @property
    def window_start(self) -> datetime:
        """Items received before this are left at Exchange. A pass fixes it before anything is read."""
        return self.record.window_start or datetime.min.replace(tzinfo=UTC)

    def folder_state(self, folder_id: FolderId) -> FolderState:
        """The folder with this id; the machine only asks for those it has."""
        return next(folder for folder in self.folders if folder.record.folder_id == folder_id)

    def with_folder(self, changed: FolderState) -> "MailboxState":
        """This state with one folder replaced."""
        return replace(
            self,
            folders=tuple(
                changed if folder.record.folder_id == changed.record.folder_id else folder for folder in self.folders
            ),
        )

    def quarantined_item(self, item_id: ItemId) -> QuarantinedItem | None:
        """The quarantine's entry for an item."""
        return next((entry for entry in self.quarantined if entry.item_id == item_id), None)


def awaken(activation: Activation, policy: SyncPolicy) -> MailboxState:
    """A mailbox fresh in memory: nothing asked, nothing under way."""
    return MailboxState(
        operator=activation.operator,
        epoch=activation.epoch,
        policy=policy,
        record=activation.mailbox,
        saved_folders=activation.folders,
        landed=tuple(activation.landed.items()),
        pending=newest_first(activation.pending),
        quarantined=activation.quarantined,
        subscription=activation.subscription,
    )


def newest_first(pages: tuple[PendingPage, ...]) -> tuple[PendingPage, ...]:
    """Pending pages in the order to fetch them: unknown dates first, since they may be new."""
    return tuple(sorted(pages, key=lambda page: -page.newest_at.timestamp() if page.newest_at else float("-inf")))
