"""One query of somebody's: parsed and checked, run on a snapshot, and what goes wrong told to its author."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import duckdb

from engine import errors
from engine.querying import Limits, Query
from engine.store.answers import Collected, collect
from engine.store.desk import Cursor, Job, stopped
from engine.store.faults import is_sickness
from engine.store.guard import Guard
from engine.store.priority import NICE, step_back
from engine.store.views import view_names

T = TypeVar("T")

_LONGEST = 1_000


def build_guard(cursor: Cursor) -> Guard:
    """The guard of this database."""
    rows = cursor.execute(
        "SELECT view_name FROM duckdb_views() WHERE internal UNION SELECT table_name FROM duckdb_tables()"
    ).fetchall()
    return Guard(view_names(), [name for (name,) in rows])


def select(cursor: Cursor, query: Query, guard: Guard, limits: Limits) -> Collected:
    """Run a query.

    The transaction is read-only, the database reaches no files and takes no settings (``connection``), and Python
    variables are not tables; the guard keeps to the views, and to what can be stopped.

    Raises:
        QueryRefused: not exactly one SELECT, or not over the views.
        duckdb.Error: DuckDB does not like it, or was interrupted; ``told`` says it in our words.
    """
    _check_text(query, limits)
    statement = _only_select(cursor, query.sql)
    guard.check(_tree(cursor, query.sql))
    most = limits.rows if query.max_rows is None else min(query.max_rows, limits.most_rows)
    return from_behind(
        cursor, lambda cursor: collect(cursor.sql(statement, params=query.params or None), most, limits.size)
    )


def on_a_snapshot(cursor: Cursor, question: Callable[[Cursor], T]) -> T:
    """All statements of a question see the same state, and write nothing."""
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    try:
        return question(cursor)
    finally:
        with suppress(duckdb.Error):
            cursor.execute("ROLLBACK")


def from_behind(cursor: Cursor, question: Callable[[Cursor], T], nice: int = NICE) -> T:
    """``on_a_snapshot``, while landings go first; this thread does nothing else any more."""
    step_back(nice)
    return on_a_snapshot(cursor, question)


def told(error: Exception, job: Job, limits: Limits) -> Exception:
    """What its author is told; a sickness of the store's stays what it is.

    Errors on the way through Arrow are Arrow's, or OSErrors, with DuckDB's words.
    """
    if job.stop is not None:
        return stopped(job.stop, limits)
    text = str(error)[: 2 * _LONGEST]
    if isinstance(error, duckdb.InterruptException) or "INTERRUPT Error" in text:
        return errors.StoreUnavailable("The query was interrupted: the store is closing, or being reopened.")
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or "Out of Memory Error" in text:
        return errors.QueryTooLarge("The query needs more memory than there is for queries.")
    if is_sickness(error):
        return error
    return errors.QueryRefused(for_the_author(text))


def _check_text(query: Query, limits: Limits) -> None:
    if len(query.sql) > limits.text:
        raise errors.QueryRefused(
            f"The query has {len(query.sql):,} characters; {limits.text:,} are the most. Pass values as params."
        )
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in query.sql):
        raise errors.QueryRefused("The query has characters that are no text: a NUL, or half of a surrogate pair.")


def _only_select(cursor: Cursor, sql: str) -> duckdb.Statement:
    statements = cursor.extract_statements(sql)
    if len(statements) != 1:
        raise errors.QueryRefused(f"Write exactly one SELECT; this is {len(statements)} statements.")
    if statements[0].type == duckdb.StatementType.MULTI:
        raise errors.QueryRefused("PIVOT needs its values here: PIVOT ... ON column IN (value, ...).")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise errors.QueryRefused(f"Only SELECT is allowed, not {statements[0].type.name}.")
    return statements[0]


def _tree(cursor: Cursor, sql: str) -> dict[str, Any]:
    row = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    try:
        tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True, "error_message": "it cannot be parsed"}
    except RecursionError:
        raise errors.QueryRefused("The query is nested too deeply.") from None
    if tree["error"]:
        raise errors.QueryRefused(f"{tree['error_message']}.".replace("..", "."))
    node: dict[str, Any] = tree["statements"][0]["node"]
    return node


def for_the_author(message: str) -> str:
    """DuckDB's message, without what it says of the tables behind the views, and not longer than anybody reads.

    >>> for_the_author('Catalog Error: No table x! Did you mean "_mailroom.y"?')
    'Catalog Error: No table x!'
    """
    lines = [_without_internals(line) for line in message[: 2 * _LONGEST].splitlines()]
    text = "\n".join(lines).strip()
    return f"{text[:_LONGEST]}..." if len(text) > _LONGEST else text or "DuckDB cannot run it."


def _without_internals(line: str) -> str:
    at = line.lower().find("_mailroom")
    if at < 0:
        return line
    return line[: max(line.rfind(end, 0, at) for end in ".!?") + 1]
