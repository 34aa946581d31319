"""What the machine is told (events) and what it asks for (actions): data, both."""

from dataclasses import dataclass
from datetime import datetime

from engine.errors import MailroomError
from engine.failures import Failure
from engine.model import (
    Change,
    ChangePage,
    FetchedItems,
    Folder,
    ItemId,
    Landing,
    LandingResult,
    ResolvedFolders,
    SyncToken,
)


@dataclass(frozen=True, slots=True)
class SyncAsked:
    """Something may have changed: drain every folder (once more, if a drain is under way).

    ``urgent``: a notice of Exchange says so, so a person may be waiting for it.
    """

    urgent: bool = False


@dataclass(frozen=True, slots=True)
class SubscribeAsked:
    """A push subscription is wanted, with this serial in its callback URL; frequency in minutes."""

    serial: str
    callback_url: str
    status_frequency: int


@dataclass(frozen=True, slots=True)
class FoldersResolved:
    """Answer to ``ResolveFolders``."""

    folders: ResolvedFolders


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Answer to ``Subscribe``."""

    subscription_id: str
    watermark: str | None


@dataclass(frozen=True, slots=True)
class PageRead:
    """Answer to ``ReadPage``."""

    page: ChangePage


@dataclass(frozen=True, slots=True)
class NewestFound:
    """Answer to ``FindNewest``."""

    found: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ItemsFetched:
    """Answer to ``FetchItems``."""

    items: FetchedItems


@dataclass(frozen=True, slots=True)
class Landed:
    """Answer to ``Land``."""

    result: LandingResult


@dataclass(frozen=True, slots=True)
class Failed:
    """Answer to any action: it did not work."""

    error: MailroomError


Wish = SyncAsked | SubscribeAsked
Event = Wish | FoldersResolved | Subscribed | PageRead | NewestFound | ItemsFetched | Landed | Failed


@dataclass(frozen=True, slots=True)
class ResolveFolders:
    """Find the folders the settings name."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Ask Exchange for a push subscription."""

    folders: tuple[Folder, ...]
    callback_url: str
    status_frequency: int


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Read one page of changes."""

    folder: Folder
    token: SyncToken | None
    limit: int


@dataclass(frozen=True, slots=True)
class FindNewest:
    """Find the items received last."""

    folder: Folder
    limit: int


@dataclass(frozen=True, slots=True)
class FetchItems:
    """Fetch full items.

    ``page_id``: the pending page they come from; empty for a page not landed yet (``direct``), for items ahead of a
    listing (``ahead``, see ``engine.sync.peek``) or for a quarantined item tried again.
    """

    folder: Folder
    item_ids: tuple[ItemId, ...]
    page_id: str = ""
    direct: ChangePage | None = None
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Land:
    """Make a landing durable."""

    landing: Landing


@dataclass(frozen=True, slots=True)
class PassSummary:
    """How a pass went: the one log line it leaves, and its row in the run history.

    ``steps``: landings that moved a token or brought emails, so that what was done will not have to be done again.
    """

    steps: int = 0
    pages: int = 0
    fetched: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    quarantined: int = 0
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """The pass is over; ``failure`` and ``message`` say why, if it did not succeed.

    ``held``: there is a backfill left, and the mailbox is held. Without a failure this is neither a success nor none.
    """

    summary: PassSummary
    failure: Failure | None = None
    message: str = ""
    next_sync_at: datetime | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Deactivate:
    """Leave memory: what is durable is no longer known here. Another activation will read it."""

    error: MailroomError


Action = ResolveFolders | Subscribe | ReadPage | FindNewest | FetchItems | Land | Rest | Deactivate
