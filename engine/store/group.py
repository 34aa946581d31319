"""What waits for the writer, and how one transaction takes a group of it.

All requests of a group were made before any was answered, so the group may order kinds as it likes: operators,
landings, hints, signs of life. Requests of one kind keep their order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from engine.model import Activation, Landing, LandingResult, Operator, OperatorId
from engine.store import operators
from engine.store.landing import land_all
from engine.store.tally import Tally
from engine.store.tickets import Answer, Ticket


@dataclass(slots=True, eq=False)
class Land:
    """A landing, and who waits for its result."""

    landing: Landing
    ticket: Ticket[LandingResult] = field(default_factory=Ticket)

    @property
    def rows(self) -> int:
        """How many emails it brings."""
        return self.landing.emails.num_rows if self.landing.emails is not None else 0

    @property
    def size(self) -> int:
        """Bytes of its emails, nearly: the bodies (asking all columns takes 50 µs)."""
        emails = self.landing.emails
        return 0 if emails is None else sum(emails.column(body).nbytes for body in ("body_text", "body_html"))


@dataclass(slots=True, eq=False)
class PutOperators:
    """Operators to insert or change."""

    operators: Sequence[Operator]
    ticket: Ticket[None] = field(default_factory=Ticket)


@dataclass(slots=True, eq=False)
class MakeDue:
    """Mailboxes whose next sync is to be now."""

    operator_ids: Sequence[OperatorId]
    ticket: Ticket[None] = field(default_factory=Ticket)


@dataclass(slots=True, eq=False)
class Heard:
    """Signs of life of subscriptions."""

    signs: Sequence[tuple[OperatorId, str, datetime]]
    ticket: Ticket[None] = field(default_factory=Ticket)


@dataclass(slots=True, eq=False)
class Activate:
    """Mailboxes to bring into memory; read after the group's writes, so that it sees them."""

    operator_ids: Sequence[OperatorId]
    ticket: Ticket[list[Activation]] = field(default_factory=Ticket)


@dataclass(slots=True, eq=False)
class Heal:
    """Somebody has met a database that is lost: open it anew if nobody has yet. Nobody waits for it."""

    ticket: None = None


Write = Land | PutOperators | MakeDue | Heard
Request = Write | Activate | Heal


@dataclass(slots=True)
class Outcome:
    """What a committed group comes to: the answer for each write, and how folders have grown."""

    answers: list[Answer]
    growth: dict[OperatorId, Counter[Any]]


def write_group(
    connection: duckdb.DuckDBPyConnection, writes: Sequence[Write], now: datetime, *, remove: bool
) -> Outcome:
    """Write and commit a group, or raise and leave nothing of it."""
    connection.execute("BEGIN")
    try:
        tallies = _write(connection, writes, now, remove=remove)
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    answers = [Answer(one.ticket) for one in writes if not isinstance(one, Land)]
    growth: dict[OperatorId, Counter[Any]] = {}
    for one, tally in tallies:
        answers.append(Answer(one.ticket, tally.result()))
        growth.setdefault(one.landing.operator_id, Counter()).update(tally.growth)
    return Outcome(answers, growth)


def _write(
    connection: duckdb.DuckDBPyConnection, writes: Sequence[Write], now: datetime, *, remove: bool
) -> list[tuple[Land, Tally]]:
    for one in writes:
        if isinstance(one, PutOperators):
            operators.put_operators(connection, one.operators, now)
    lands = [one for one in writes if isinstance(one, Land)]
    tallies = land_all(connection, [one.landing for one in lands], now, remove=remove)
    due = [operator_id for one in writes if isinstance(one, MakeDue) for operator_id in one.operator_ids]
    if due:
        operators.make_due(connection, due, now)
    signs = [sign for one in writes if isinstance(one, Heard) for sign in one.signs]
    if signs:
        operators.heard(connection, signs)
    return list(zip(lands, tallies, strict=True))


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        # A failed COMMIT has rolled back already; a database past saving says so again at the next BEGIN.
        return
