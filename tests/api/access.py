"""Tokens of every kind, in a FakeMailroom's store."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.access import tokens
from engine.access.roles import Role
from engine.access.tokens import IssuedToken, TokenRequest
from tests.fakes.mailroom import FakeMailroom

Headers = dict[str, str]


def give_out(
    mailroom: FakeMailroom,
    role: Role = Role.VIEWER,
    *,
    name: str = "",
    groups: tuple[str, ...] = (),
    expired: bool = False,
    revoked: bool = False,
) -> IssuedToken:
    """A token that the Mailroom knows."""
    now = datetime.now(UTC)
    made_at = now - timedelta(days=2) if expired else now
    expires_at = now - timedelta(days=1) if expired else None
    number = len(mailroom.access.issued)
    request = TokenRequest(name or f"token {number}", role, "the tests", groups, expires_at)
    issued = tokens.issue(request, random.Random(number).randbytes(tokens.ENTROPY_BYTES), made_at)
    kept = replace(issued.record, revoked_at=now if revoked else None)
    mailroom.access.issued[kept.token_id] = kept
    return issued


def not_known() -> str:
    """A token as ours are, that nobody has given out."""
    request = TokenRequest("x", Role.ADMINISTRATOR, "nobody")
    return tokens.issue(request, b"\xee" * tokens.ENTROPY_BYTES, datetime.now(UTC)).text


def wrong_secret(issued: IssuedToken) -> str:
    """The id of a real token, with another secret and the right checksum."""
    body = f"mr_{issued.record.token_id}_{'A' * 43}"
    return body + tokens._checksum(body)


def bearer(text: str) -> Headers:
    return {"Authorization": f"Bearer {text}"}
