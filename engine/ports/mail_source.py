"""Where mail comes from."""

from collections.abc import Sequence
from typing import Protocol

from engine.model import Change, ChangePage, FetchedItems, Folder, ItemId, ResolvedFolders, SyncToken


class MailSource(Protocol):
    """Where mail comes from. A mailbox is named by its primary SMTP address.

    Methods raise ``errors.SourceError`` and nothing else, never retry and never sleep: retries belong to the mailbox.
    """

    async def resolve_folders(self, mailbox: str, names: Sequence[str]) -> ResolvedFolders:
        """The folders the names stand for; a name without a folder is reported in ``missing``, not raised."""
        ...

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        """One page of at most ``limit`` (1-512) changes since ``token`` (None: everything there is).

        Raises:
            SyncTokenRefused: the token is not valid any more.
            FolderMissing: the folder is gone.
        """
        ...

    async def fetch_items(self, mailbox: str, folder: Folder, item_ids: Sequence[ItemId]) -> FetchedItems:
        """The full items. Every id is answered: fetched, missing (gone, or in another folder by now) or unreadable.

        Raises:
            ResponseUnreadable: the answer as a whole cannot be read; fewer items at a time may go.
        """
        ...

    async def find_newest(self, mailbox: str, folder: Folder, limit: int) -> tuple[Change, ...]:
        """The items received last, at most ``limit`` (1-512), newest first, each as its Create; no token moves.

        Raises:
            FolderMissing: the folder is gone.
        """
        ...

    async def subscribe(
        self, mailbox: str, folders: Sequence[Folder], callback_url: str, status_frequency: int
    ) -> tuple[str, str | None]:
        """A push subscription: (SubscriptionId, Watermark or None). ``status_frequency`` is in minutes, 1-1440."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...
