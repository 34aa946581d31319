"""When to try again. Pure: the jitter is an argument in [0, 1)."""

from datetime import timedelta

from engine.errors import MailroomError, SourceError, Throttled
from engine.sync.policy import SyncPolicy

_LONGEST_HINT = timedelta(hours=1)


def backoff(first: timedelta, longest: timedelta, attempts: int, jitter: float) -> timedelta:
    """Doubling from ``first`` at attempt 1 up to ``longest``, spread over 0.75 to 1.25 of that."""
    doubled: timedelta = first * 2 ** min(max(attempts, 1) - 1, 20)
    return min(doubled, longest) * (0.75 + jitter / 2)


def delay_after(
    error: MailroomError, attempts: int, policy: SyncPolicy, jitter: float, *, seldom: bool = False
) -> timedelta:
    """How long a mailbox waits after its ``attempts``-th failure in a row; ``seldom``: it is only probed by now.

    A hint of the server is a floor, never a ceiling: a hint of 0 ms is met on real servers and still means "slow down".
    After a standing error the wait is the longest, since the end of it makes the mailbox due at once.
    """
    first, longest = (
        (policy.first_probe, policy.longest_probe) if seldom else (policy.first_backoff, policy.longest_backoff)
    )
    if is_standing(error):
        first = longest
    own = backoff(first, longest, attempts, jitter)
    if isinstance(error, Throttled) and error.retry_after:
        hint = min(timedelta(seconds=error.retry_after), _LONGEST_HINT)
        return max(own, hint * (1 + jitter / 4))
    return own


def is_standing(error: MailroomError) -> bool:
    """Whether an error is known from other requests: Exchange was not asked this time."""
    return isinstance(error, SourceError) and error.standing
