"""The end of a pass that did not succeed, and how long a mailbox is retried before it is given up.

- A passing cause: FAILING, retried with backoff until the policy's ``retry_for`` has passed since the first failure.
- After that, and of a permanent cause at once: FAILED, probed seldom, reported. It stays FAILED, whatever the next
  attempts fail of, until one succeeds.
- Servers answer a 401 now and then without meaning it. So the first one in a row is a passing cause, unless it is known
  from other requests.
- What ails everybody says nothing of the cause of its own that a mailbox was given up for, and does not take its place:
  that cause would else be reported as over, and once more when Exchange is back.
"""

from dataclasses import replace
from datetime import timedelta

from engine.errors import AuthenticationFailed, MailroomError
from engine.failures import failure_for, is_permanent
from engine.model import MailboxRecord, MailboxStatus, Moment
from engine.sync.retry import delay_after
from engine.sync.signs import EVERYBODYS, sign_of
from engine.sync.state import MailboxState


def fail(state: MailboxState, moment: Moment, *, cut_short: bool) -> MailboxState:
    """Conclude a pass that did not succeed: the record says why, since when, and when the next attempt is.

    A pass that got somewhere before it was ``cut_short`` is the first failure of a new row, with all the time anew: a
    backfill of a hundred requests would else wait longer and longer, and be given up, for nothing but its length. What
    ails one folder while the others get on (a pass that came to its end) is not healed by their progress.
    """
    error = state.trouble
    if error is None:
        raise ValueError("a pass fails for a reason: set trouble first")
    was_given_up = state.record.status is MailboxStatus.FAILED
    anew = cut_short and state.summary.steps > 0
    since = state.record.failing_since or moment.now
    if anew and not was_given_up:
        since = moment.now
    used_up = moment.now - since >= state.policy.retry_for
    permanent = _is_permanent(state, error)
    given_up = permanent or used_up or was_given_up
    attempts = 1 if anew else state.record.attempts + 1
    delay = delay_after(error, attempts, state.policy, moment.jitter, seldom=given_up)
    record = replace(
        state.record,
        status=MailboxStatus.FAILED if given_up else MailboxStatus.FAILING,
        failing_since=since,
        attempts=attempts,
        next_sync_at=moment.now + delay,
        error_at=moment.now,
    )
    if not _has_its_own(state.record, error):
        words = _given_up(state.policy.retry_for, error) if used_up and cut_short and not permanent else str(error)
        record = replace(record, error_code=failure_for(error).code, error=words)
    return replace(state, record=record, dirty_mailbox=True, closing=True)


def _is_permanent(state: MailboxState, error: MailroomError) -> bool:
    if not is_permanent(failure_for(error).action):
        return False
    if not isinstance(error, AuthenticationFailed) or error.standing:
        return True
    answered = state.summary.steps > 0 or state.summary.pages > 0
    return not answered and state.record.error_code == failure_for(error).code


def _has_its_own(record: MailboxRecord, error: MailroomError) -> bool:
    """Whether a mailbox was given up for a cause that this error, which is everybody's, tells nothing about."""
    own = record.status is MailboxStatus.FAILED and record.error_code not in EVERYBODYS
    return own and sign_of(error) is not None


def _given_up(after: timedelta, error: MailroomError) -> str:
    minutes = round(after.total_seconds() / 60)
    return f"Given up after {minutes} {'minute' if minutes == 1 else 'minutes'} of retries: {error}"
