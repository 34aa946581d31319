"""What an error says about Exchange as a whole, as against the one mailbox that met it.

Mailroom speaks to Exchange with one service account at one address, so a refused login or a connection that fails is
everybody's. Whatever carries a ResponseCode of EWS about the mailbox is a sign of life: Exchange has read the request.
"""

from enum import StrEnum

from engine.errors import (
    AuthenticationFailed,
    EndpointInvalid,
    EwsBlocked,
    MailroomError,
    SourceUnavailable,
    Throttled,
    VersionInvalid,
)
from engine.failures import failure_for

DEPTHS = tuple(
    failure_for(kind("")).code
    for kind in (SourceUnavailable, EndpointInvalid, AuthenticationFailed, VersionInvalid, EwsBlocked)
)
"""Codes of ours for what may ail everybody, in the order in which a request meets them on its way in."""

EVERYBODYS = frozenset(DEPTHS)

_SLOW_DOWN = frozenset({"HTTP 408", "HTTP 429", "HTTP 503", "HTTP 504"})


class Sign(StrEnum):
    """Why Exchange may be serving nobody."""

    CREDENTIALS = "credentials"
    """The service account is not let in."""
    REFUSED = "refused"
    """EWS is switched off, of another version, or not what answers there."""
    UNREACHABLE = "unreachable"
    """No connection, no answer in time, or one of the front end alone (HTTP 5xx)."""


def sign_of(error: MailroomError) -> Sign | None:
    """What an error says of everybody's requests; None where it is about one mailbox."""
    if isinstance(error, AuthenticationFailed):
        return Sign.CREDENTIALS
    if isinstance(error, EwsBlocked | EndpointInvalid | VersionInvalid):
        return Sign.REFUSED
    if isinstance(error, SourceUnavailable | Throttled) and not _is_response_code(error.code):
        return Sign.UNREACHABLE
    return None


def slows(error: MailroomError) -> bool:
    """Whether the front end has too much to do: it says so (503, 429), or does not answer in time."""
    if not isinstance(error, SourceUnavailable | Throttled) or _is_response_code(error.code):
        return False
    # An answer that trickled in for too long has no code
    return error.code is None or error.code in _SLOW_DOWN or "timeout" in error.code.lower()


def _is_response_code(code: str | None) -> bool:
    """Every ResponseCode of an error begins like this; HTTP statuses and names of exceptions do not."""
    return code is not None and code.startswith("Error")
