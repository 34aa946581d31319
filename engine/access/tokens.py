"""Bearer tokens: shown once, kept as a digest, verified without a look at anything but the record.

A token reads ``mr_ID_SECRET``. ID (12 lower-case letters and digits) is public: it names the token in lists, logs and
the audit trail. SECRET is 256 random bits in base 62 (43 characters) and a CRC-32 over all before it (6 characters),
so a token that was cut or mistyped is told from a wrong one without asking the store, and secret scanners know one
when they see one (``TOKEN_PATTERN``). ``docs/decisions/0012-access.md`` says why the digest is a fast one.
"""

import hashlib
import hmac
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from engine.access import base62
from engine.access.roles import Principal, Role
from engine.errors import SettingsError, Unauthenticated

ENTROPY_BYTES: Final = 40
"""What ``issue`` takes from the system's generator: 8 bytes for the id, 32 for the secret."""

TOKEN_PATTERN: Final = r"mr_[0-9a-z]{12}_[0-9A-Za-z]{49}"  # noqa: S105  # what tokens look like
"""A regular expression of exactly the tokens, for redaction and for secret scanners."""

NOTE_EVERY: Final = timedelta(minutes=1)
"""``last_used_at`` is written down no more often: a busy token costs one small write a minute."""

ENVIRONMENT_PRINCIPAL: Final = Principal("admin (environment)", Role.ADMINISTRATOR)
"""Whoever shows MAILROOM_ADMIN_TOKEN."""

_ID_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_WIDTH, _SECRET_WIDTH, _CHECK_WIDTH = 12, 43, 6
_ID_BYTES = 8
_PURPOSE = b"mailroom token 1\0"
_TOKEN = re.compile(TOKEN_PATTERN)
_NO_DIGEST = bytes(hashlib.sha256().digest_size)
_NOT_VALID = "The token is not valid."


class Denial(StrEnum):
    """Why there is no principal. For the log and the audit trail; the outside gets the error's message."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    WRONG = "wrong"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is kept of a token. ``digest`` is all that is left of its secret; ``groups`` are access groups of jobs."""

    token_id: str
    name: str
    role: Role
    digest: bytes = field(repr=False)
    groups: frozenset[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What an administrator asks for. ``created_by`` is the name of the principal who asks."""

    name: str
    role: Role
    created_by: str
    groups: Iterable[str] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token: ``text`` is shown to whoever asked, this once, and forgotten; ``record`` is kept."""

    text: str = field(repr=False)
    record: TokenRecord


def issue(request: TokenRequest, entropy: bytes, now: datetime) -> IssuedToken:
    """Make a token of ``ENTROPY_BYTES`` fresh bytes of the system's generator (``secrets.token_bytes``).

    That no other token in use has the name, and none at all the id, is the store's to refuse.

    Raises:
        SettingsError: the name or a group is empty, long or has odd characters, or it would expire in the past.
    """
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a token takes {ENTROPY_BYTES} bytes, not {len(entropy)}")
    if request.expires_at is not None and request.expires_at <= now:
        raise SettingsError(
            "expires_at: lies in the past. Give a later time, or none for a token that does not expire."
        )
    token_id = base62.encode(int.from_bytes(entropy[:_ID_BYTES], "big"), _ID_WIDTH, _ID_DIGITS)
    secret = base62.encode(int.from_bytes(entropy[_ID_BYTES:], "big"), _SECRET_WIDTH)
    body = f"mr_{token_id}_{secret}"
    text = body + _checksum(body)
    record = TokenRecord(
        token_id=token_id,
        name=_name("name", request.name),
        role=Role(request.role),
        digest=_digest(text),
        groups=frozenset(_name("groups", group) for group in request.groups),
        created_at=now,
        created_by=request.created_by,
        expires_at=request.expires_at,
    )
    return IssuedToken(text, record)


def revoke(record: TokenRecord, now: datetime) -> TokenRecord:
    """The record of a token that is valid no more; one revoked before keeps its time."""
    return record if record.revoked_at is not None else replace(record, revoked_at=now)


def worth_noting(record: TokenRecord, now: datetime) -> bool:
    """Whether a use of the token now should be written down as ``last_used_at``."""
    return record.last_used_at is None or now - record.last_used_at >= NOTE_EVERY


def bearer(authorization: Sequence[str]) -> str:
    """The token in the values of a request's Authorization headers.

    Raises:
        Unauthenticated: there is none (``missing``), or it is no single ``Bearer TOKEN`` (``malformed``).
    """
    ask = "Send the header `Authorization: Bearer TOKEN`."
    if not authorization:
        raise Unauthenticated(f"This address wants a token. {ask}", reason=Denial.MISSING)
    scheme, _, token = authorization[0].strip().partition(" ")
    if len(authorization) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(f"This is no token. {ask}", reason=Denial.MALFORMED)
    return token.strip()


def token_id_of(presented: str) -> str | None:
    """The id of what looks like a whole token of ours, to find its record by; None where nothing needs to be found."""
    return presented[3 : 3 + _ID_WIDTH] if _well_formed(presented) else None


def verify(presented: str, record: TokenRecord | None, now: datetime) -> Principal:
    """Who shows this token. ``record`` is the one found by ``token_id_of``, None where there is none.

    The same work is done whether there is a record or not, and the digests are compared in constant time. A wrong
    secret and an unknown id read alike from the outside; that a token has expired or is revoked is told only to whoever
    has its secret.

    Raises:
        Unauthenticated: ``malformed``, ``unknown``, ``wrong``, ``revoked`` or ``expired``.
    """
    if presented.startswith("mr_") and not _well_formed(presented):
        raise Unauthenticated("The token is incomplete or mistyped; copy it whole.", reason=Denial.MALFORMED)
    right = hmac.compare_digest(_digest(presented), _NO_DIGEST if record is None else record.digest)
    if record is None:
        raise Unauthenticated(_NOT_VALID, reason=Denial.UNKNOWN)
    if not right:
        raise Unauthenticated(_NOT_VALID, reason=Denial.WRONG)
    if record.revoked_at is not None:
        raise Unauthenticated("The token has been revoked. Ask an administrator for another.", reason=Denial.REVOKED)
    if record.expires_at is not None and record.expires_at <= now:
        raise Unauthenticated("The token has expired. Ask an administrator for another.", reason=Denial.EXPIRED)
    return Principal(record.name, record.role, record.groups, record.token_id)


def verify_environment(presented: str, admin_token: str) -> Principal | None:
    """The administrator, if this is MAILROOM_ADMIN_TOKEN; where none is set (empty), nothing is."""
    # Of equal length by hashing, so that the comparison does not tell the length of the real one.
    right = hmac.compare_digest(_digest(presented), _digest(admin_token))
    return ENVIRONMENT_PRINCIPAL if right and admin_token else None


def _well_formed(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None and _checksum(text[:-_CHECK_WIDTH]) == text[-_CHECK_WIDTH:]


def _checksum(body: str) -> str:
    return base62.encode(zlib.crc32(body.encode("ascii")), _CHECK_WIDTH)


def _digest(text: str) -> bytes:
    return hashlib.sha256(_PURPOSE + text.encode("utf-8", "surrogatepass")).digest()


def _name(what: str, text: str) -> str:
    text = text.strip()
    if not text or len(text) > 64 or not text.isprintable():
        raise SettingsError(f"{what}: {text[:64]!r} is no name. Write 1 to 64 printable characters, such as 'grafana'.")
    if text.casefold() == ENVIRONMENT_PRINCIPAL.name:
        raise SettingsError(f"{what}: {text!r} stands for MAILROOM_ADMIN_TOKEN in the audit trail. Use another.")
    return text
