"""Tokens, of which only a digest is kept, and the audit trail, to which is only added."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb

from engine import errors
from engine.access.audit import AuditEntry, side_json
from engine.access.roles import Role
from engine.access.tokens import TokenRecord, revoke
from engine.store.staging import registered
from engine.store.tables import AUDIT, TOKEN_USES, TOKENS, columns
from engine.store.times import utc

_TOKEN = "token_id, name, role, digest, groups, created_at, created_by, expires_at, revoked_at, last_used_at"  # noqa: S105  # columns


def all_tokens(connection: duckdb.DuckDBPyConnection) -> list[TokenRecord]:
    """Every token there has been, the newest first."""
    rows = connection.execute(
        f"SELECT {_TOKEN} FROM _mailroom.tokens ORDER BY created_at DESC, token_id"  # noqa: S608
    ).fetchall()
    return [_record(row) for row in rows]


def add_token(connection: duckdb.DuckDBPyConnection, record: TokenRecord) -> None:
    """Keep a new token.

    Raises:
        TokenRefused: another token in use has the name, or any the id.
    """
    for one in all_tokens(connection):
        if one.token_id == record.token_id:
            raise errors.TokenRefused("The token's id is taken. Make another.")
        if one.name == record.name and one.revoked_at is None:
            raise errors.TokenRefused(
                f"There is a token named {record.name!r}. Revoke it first, or give this one another name."
            )
    times = (record.created_at, record.created_by, record.expires_at, record.revoked_at, record.last_used_at)
    row = (record.token_id, record.name, record.role.value, record.digest, sorted(record.groups), *times)
    with registered(connection, "given", columns([row], TOKENS)):
        connection.execute("INSERT INTO _mailroom.tokens SELECT * FROM given")


def revoke_token(connection: duckdb.DuckDBPyConnection, token_id: str, now: datetime) -> TokenRecord:
    """Let a token be valid no more; one revoked before keeps its time.

    Raises:
        UnknownToken: there is none with this id.
    """
    rows = connection.execute(
        f"UPDATE _mailroom.tokens SET revoked_at = coalesce(revoked_at, $2) WHERE token_id = $1 RETURNING {_TOKEN}",  # noqa: S608
        [token_id, now],
    ).fetchall()
    if not rows:
        raise errors.UnknownToken(f"There is no token with the id {token_id[:40]!r}.")
    return revoke(_record(rows[0]), now)


def note_token_uses(connection: duckdb.DuckDBPyConnection, uses: Mapping[str, datetime]) -> None:
    """Write down when tokens, by id, were last used; an earlier time than is known changes nothing."""
    with registered(connection, "given", columns(list(uses.items()), TOKEN_USES)):
        connection.execute(
            """
            UPDATE _mailroom.tokens AS t SET last_used_at = greatest(t.last_used_at, g.used_at)
            FROM given AS g WHERE g.token_id = t.token_id
            """
        )


def write_audit(connection: duckdb.DuckDBPyConnection, entries: Sequence[AuditEntry]) -> None:
    """Add entries; those that are there already, by id, stay as they are."""
    if not entries:
        return
    rows = [
        (
            *(one.entry_id, one.at, one.action.value, one.outcome.value, one.principal),
            *(one.role.value if one.role else None, one.token_id, one.address, one.target),
            *(side_json(one.before), side_json(one.after)),
        )
        for one in {one.entry_id: one for one in entries}.values()
    ]
    with registered(connection, "given", columns(rows, AUDIT)):
        # Bounded by time first: entries come in the order of time, so the rest of the trail is not even read.
        connection.execute(
            """
            INSERT INTO _mailroom.audit
            SELECT * FROM given WHERE entry_id NOT IN (
                SELECT entry_id FROM _mailroom.audit WHERE "at" BETWEEN $1 AND $2
            )
            """,
            [min(one.at for one in entries), max(one.at for one in entries)],
        )


def _record(row: tuple[Any, ...]) -> TokenRecord:
    token_id, name, role, digest, groups, created_at, created_by, expires_at, revoked_at, last_used_at = row
    return TokenRecord(
        token_id, name, Role(role), bytes(digest), frozenset(groups), utc(created_at), created_by,
        utc(expires_at), utc(revoked_at), utc(last_used_at),
    )  # fmt: skip
