"""One login: the token against the environment's and against its record, under the limits on failed ones.

An issued token that is right is always let in: its secret cannot be guessed, so refusing it would protect nothing, and
a stale one beside it behind the same proxy would lock a whole office out. MAILROOM_ADMIN_TOKEN is what someone chose,
so an address that has failed too often waits before another guess at it is looked at.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address

from engine.access import tokens
from engine.access.limits import FailedLogins
from engine.access.roles import Principal
from engine.access.tokens import Denial, TokenRecord
from engine.errors import TooManyAttempts, Unauthenticated

_PROVEN = (Denial.EXPIRED, Denial.REVOKED)


@dataclass(frozen=True, slots=True)
class Login:
    """What is shown, from where, and the record found by ``tokens.token_id_of`` (None: there is none)."""

    presented: str = field(repr=False)
    record: TokenRecord | None
    client: IPv4Address | IPv6Address | None
    now: datetime


def log_in(login: Login, admin_token: str, failed: FailedLogins) -> Principal:
    """Who this is. Find the record first: nothing may be awaited while this decides.

    A token that is expired or revoked does not count as a failed login: whoever shows it has its secret.

    Raises:
        Unauthenticated: as ``tokens.verify``; ``notable`` where the audit trail wants an entry.
        TooManyAttempts: this client has failed too often; the token was no issued one that is right.
    """
    wait = failed.wait(login.client, login.now)
    if not wait:
        administrator = tokens.verify_environment(login.presented, admin_token)
        if administrator is not None:
            return administrator
    try:
        return tokens.verify(login.presented, login.record, login.now)
    except Unauthenticated as refused:
        if refused.reason in _PROVEN:
            raise
        if wait:
            seconds = math.ceil(wait)
            raise TooManyAttempts(
                f"Too many failed logins from this address. Try again in {seconds} s.", retry_after=seconds
            ) from None
        refused.notable = failed.failed(login.client, login.now)
        raise
