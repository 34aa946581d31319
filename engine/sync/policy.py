"""The knobs of a mailbox's sync, as plain numbers taken from the settings."""

from dataclasses import dataclass
from datetime import timedelta

from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class SyncPolicy:
    """How mailboxes are synchronised. Sizes are items and bytes; a fetch is one GetItem request.

    ``retry_for``: how long a mailbox that fails of a passing cause is retried before it is given up; after that, and
    with a permanent cause at once, it is probed seldom (``first_probe`` doubling to ``longest_probe``).
    ``missing_waits``: before each further look for an item that was listed and is not found.
    ``quarantine_waits``: after each attempt at an item that is set aside; the last one again and again.

    Microsoft caps a batch request at one minute of work, so a fetch is bounded by both:
    https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange
    """

    folders: tuple[str, ...] = ("inbox", "sentitems")
    sync_from: timedelta = timedelta(days=90)
    batch_size: int = 512
    fetch_items: int = 128
    fetch_bytes: int = 8 << 20
    retry_for: timedelta = timedelta(minutes=30)
    first_backoff: timedelta = timedelta(seconds=2)
    longest_backoff: timedelta = timedelta(minutes=5)
    first_probe: timedelta = timedelta(seconds=20)
    longest_probe: timedelta = timedelta(minutes=15)
    missing_waits: tuple[timedelta, ...] = (timedelta(seconds=15), timedelta(minutes=1))
    quarantine_waits: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(hours=1),
        timedelta(hours=4),
        timedelta(hours=12),
        timedelta(days=1),
    )

    @classmethod
    def of(cls, settings: Settings) -> "SyncPolicy":
        """What the settings say; the rest as it stands here."""
        return cls(
            folders=settings.email_sync.folders,
            sync_from=timedelta(days=settings.email_sync.sync_from_days),
            batch_size=settings.email_sync.batch_size,
            retry_for=timedelta(minutes=settings.email_sync.notification_frequency),
        )
