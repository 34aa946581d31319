"""The end of a pass that did not succeed, and how long a mailbox is retried before it is given up.

- A passing cause: FAILING, retried with backoff until the policy's ``retry_for`` has passed since the first failure.
  The last attempt is at that very moment, whatever the backoff says, so that those who began to fail together are given
  up together, and reported together.
- After that, and of a permanent cause at once: FAILED, probed seldom, reported. It stays FAILED, whatever the next
  attempts fail of, until one succeeds.
- Servers answer a 401 now and then without meaning it. So the first one in a row is a passing cause, unless it is known
  from other requests.
- What a mailbox was given up for is told until it succeeds, or is known to have another cause: see ``_takes_over``.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from engine.errors import AuthenticationFailed, MailroomError, SyncTokenRefused
from engine.failures import failure_for, is_permanent
from engine.model import MailboxRecord, MailboxStatus, Moment
from engine.sync.actions import FetchItems, ReadPage
from engine.sync.retry import delay_after
from engine.sync.signs import DEPTHS, sign_of
from engine.sync.state import MailboxState

_CLOSE = timedelta(seconds=1)
"""So near to the deadline, an attempt is the last one."""


def fail(state: MailboxState, moment: Moment, *, cut_short: bool) -> MailboxState:
    """Conclude a pass that did not succeed: the record says why, since when, and when the next attempt is.

    A pass that was ``cut_short`` and yet got further with what stopped it is the first failure of a new row, with all
    the time anew: a backfill of a hundred requests would else wait longer and longer, and be given up, for nothing but
    its length. What ails one folder while the others get on (a pass that came to its end) is not healed by that.
    """
    error, before = state.trouble, state.record
    if error is None:
        raise ValueError("a pass fails for a reason: set trouble first")
    was_given_up = before.status is MailboxStatus.FAILED
    anew = cut_short and _got_further(state)
    permanent = _is_permanent(state, error)
    since = moment.now if anew and not was_given_up else before.failing_since or moment.now
    used_up = moment.now - since >= state.policy.retry_for - _CLOSE
    given_up = permanent or used_up or was_given_up
    attempts = 1 if anew or (given_up and not was_given_up) else before.attempts + 1
    delay = delay_after(error, attempts, state.policy, moment.jitter, seldom=given_up)
    following = moment.now + delay
    record = replace(
        before,
        status=MailboxStatus.FAILED if given_up else MailboxStatus.FAILING,
        failing_since=since,
        attempts=attempts,
        next_sync_at=following if given_up else _in_time(following, since + state.policy.retry_for),
        error_at=moment.now,
    )
    if not was_given_up or _takes_over(before, error, permanent=permanent):
        code = failure_for(error).code
        timed_out = used_up and cut_short and not permanent
        words = _given_up(state.policy.retry_for, error) if timed_out else str(error)
        if permanent and code != before.error_code:
            record = replace(record, failing_since=moment.now)
        record = replace(record, error_code=code, error=words)
    return replace(state, record=record, dirty_mailbox=True, closing=True)


def _got_further(state: MailboxState) -> bool:
    """Whether what has failed now had worked in this pass, and brought something that will not have to be done again.

    New mail that is listed and cannot be fetched is no progress, nor is mail of one folder where another's listing
    fails: a mailbox that gets mail all the time would be retried for ever. A first listing comes to an end.
    """
    doing = state.doing
    if isinstance(doing, FetchItems):
        return state.summary.fetched > 0 or state.listed
    if isinstance(doing, ReadPage) and not isinstance(state.trouble, SyncTokenRefused):
        return doing.folder.folder_id in state.read and state.summary.steps > 0
    return False


def _in_time(following: datetime, deadline: datetime) -> datetime:
    """No attempt is later than the deadline, and none so shortly before it that it would be another."""
    return deadline if following > deadline - _CLOSE else following


def _is_permanent(state: MailboxState, error: MailroomError) -> bool:
    if not is_permanent(failure_for(error).action):
        return False
    if not isinstance(error, AuthenticationFailed) or error.standing:
        return True
    answered = state.summary.steps > 0 or state.summary.pages > 0
    return not answered and state.record.error_code == failure_for(error).code


def _takes_over(record: MailboxRecord, error: MailroomError, *, permanent: bool) -> bool:
    """Whether an error tells more of a mailbox given up than the cause that its record has.

    A passing one does not: the cause that is known would be reported as over, and once more later on. Nor does what
    ails everybody tell anything of a cause of the mailbox's own. Between two that ail everybody, the one that is met
    further in does: who is not let in has reached Exchange again.
    """
    if not permanent or sign_of(error) is None:
        return permanent
    code = failure_for(error).code
    return record.error_code in DEPTHS and DEPTHS.index(code) >= DEPTHS.index(record.error_code)


def _given_up(after: timedelta, error: MailroomError) -> str:
    minutes = round(after.total_seconds() / 60)
    return f"Given up after {minutes} {'minute' if minutes == 1 else 'minutes'} of retries: {error}"
