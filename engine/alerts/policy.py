"""How long alerts wait: for others of the same cause, for its end, and between two digests."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """The waits.

    ``quiet``: a digest is written when nobody has joined for this long; ``quiet_in_run`` instead while a run of
    EmailSync is open, which meets the broken mailboxes one by one. ``longest_gathering``: at the latest this long after
    the first. ``remind_after``: between two digests about newcomers of one cause. ``recovered_after``: how long a cause
    touches nobody until it is over. ``same_cause_within``: how soon after the word that it is over a cause is reported
    again at the earliest.
    """

    quiet: timedelta = timedelta(seconds=20)
    quiet_in_run: timedelta = timedelta(seconds=60)
    longest_gathering: timedelta = timedelta(minutes=5)
    remind_after: timedelta = timedelta(hours=24)
    recovered_after: timedelta = timedelta(seconds=60)
    same_cause_within: timedelta = timedelta(minutes=10)
