"""Operators' own policies in the file, and how the policies stand."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from engine import errors
from engine.model import OperatorId
from engine.policy.purge import PolicyStanding


def put(
    connection: duckdb.DuckDBPyConnection, operator_id: OperatorId, document: Mapping[str, Any], by: str, now: datetime
) -> None:
    """Replace one; an empty one is none.

    Raises:
        UnknownOperator: there is none of this id.
    """
    _check(connection, operator_id)
    connection.execute("DELETE FROM _mailroom.operator_policies WHERE operator_id = $1", [operator_id])
    if document:
        connection.execute(
            "INSERT INTO _mailroom.operator_policies VALUES ($1, $2, $3, $4)",
            [operator_id, json.dumps(document), now, by],
        )


def standing(cursor: duckdb.DuckDBPyConnection, own_domains: frozenset[str], operator_id: str) -> PolicyStanding:
    """See ``ports.PolicyStore``."""
    if operator_id:
        _check(cursor, operator_id)
    kept = cursor.execute(
        "SELECT reason, sum(emails)::BIGINT FROM main.kept_out WHERE $1 IN ('', operator_id) "
        "GROUP BY reason ORDER BY reason",
        [operator_id],
    ).fetchall()
    own = cursor.execute(
        "SELECT operator_id, document FROM _mailroom.operator_policies WHERE $1 IN ('', operator_id) "
        "ORDER BY operator_id",
        [operator_id],
    ).fetchall()
    return PolicyStanding(tuple(sorted(own_domains)), dict(kept), {who: json.loads(text) for who, text in own})


def _check(cursor: duckdb.DuckDBPyConnection, operator_id: str) -> None:
    found = cursor.execute("SELECT 1 FROM _mailroom.operators WHERE operator_id = $1", [operator_id]).fetchall()
    if not found:
        raise errors.UnknownOperator(f"There is no operator {operator_id[:100]!r}.")
