"""Cursors of lists: where the next page begins, as a signed text that fits a URL.

A cursor is ``base64url(mac ‖ JSON of the position)`` and belongs to one list with its filters: the mac covers them too,
so that a cursor cannot be changed, nor be used with another list, without being found out.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Protocol

from api.problems import CURSOR_INVALID, Refusal

_MAC_BYTES = 12
_PURPOSE = b"mailroom cursor 1\0"


class Listed(Protocol):
    """What a page is of, as ``engine.listing.Listing`` says it."""

    @property
    def view(self) -> str:
        """The list."""
        ...

    @property
    def equal(self) -> Mapping[str, str]:
        """Its filters."""
        ...

    @property
    def search(self) -> str:
        """Its words."""
        ...


def seal(key: bytes, listing: Listed, after: tuple[Any, ...]) -> str:
    """The cursor of a position; ``key`` is the gateway's, ``listing`` the page it was found on."""
    position = json.dumps(after, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(key, listing, position) + position).rstrip(b"=").decode("ascii")


def unseal(key: bytes, listing: Listed, cursor: str) -> tuple[Any, ...]:
    """The position a cursor stands for.

    Raises:
        Refusal: 400; it was not given out for this list and these filters.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refusal() from None
    mac, position = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, listing, position)):
        raise _refusal()
    return tuple(json.loads(position))


def _mac(key: bytes, listing: Listed, position: bytes) -> bytes:
    about = json.dumps([listing.view, sorted(listing.equal.items()), *listing.search.split()]).encode()
    return hmac.digest(key, _PURPOSE + about + b"\0" + position, hashlib.sha256)[:_MAC_BYTES]


def _refusal() -> Refusal:
    return Refusal(
        400,
        CURSOR_INVALID,
        "cursor: it was not given out for this list with these filters, or has been changed.",
        "Pass `next` of the page before unchanged, with the same filters; leave it out to begin anew.",
    )
