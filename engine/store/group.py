"""What waits for the writer, and how one transaction takes a group of it.

All requests of a group were made before any was answered, so the group may order kinds as it likes: operators,
landings, hints, signs of life, then jobs and alerts. Requests of one kind keep their order.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import duckdb

from engine import errors
from engine.model import Activation, Landing, LandingResult, Operator, OperatorId
from engine.operators import OperatorChange
from engine.store import changing, operators
from engine.store.landing import land_all
from engine.store.tally import Tally
from engine.store.terms import Terms
from engine.store.tickets import Answer, Ticket

T = TypeVar("T")


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
class ChangeOperators:
    """Operators to change if they still are what whoever asks has seen; all of them or none."""

    changes: Sequence[OperatorChange]
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
class Change(Generic[T]):
    """Any other write, as what it does to the file: ``apply(connection, now)``, inside the group's transaction.

    An error of ours refuses it and sinks no other; it must be raised before anything is written.
    """

    apply: Callable[[duckdb.DuckDBPyConnection, datetime], T]
    ticket: Ticket[T] = field(default_factory=Ticket)


@dataclass(slots=True, eq=False)
class Activate:
    """Mailboxes to bring into memory; read after the group's writes, so that it sees them."""

    operator_ids: Sequence[OperatorId]
    ticket: Ticket[list[Activation]] = field(default_factory=Ticket)


@dataclass(slots=True, eq=False)
class Alone(Generic[T]):
    """Work the writer does in a transaction of its own, or without the file open: ``do()``, in its thread.

    It comes after the writes of its group and before the activations.
    """

    do: Callable[[], T]
    ticket: Ticket[T] = field(default_factory=Ticket)


@dataclass(slots=True, eq=False)
class Heal:
    """Somebody has met a database that is lost: open it anew if nobody has yet. Nobody waits for it."""

    ticket: None = None


Write = Land | PutOperators | ChangeOperators | MakeDue | Heard | Change[Any]
Request = Write | Alone[Any] | Activate | Heal


@dataclass(slots=True)
class Outcome:
    """What a committed group comes to.

    The answer for each write, how folders have grown, and whose activations are behind: what their hosts hold of them
    is of another address, or of a time when they were enabled.
    """

    answers: list[Answer] = field(default_factory=list)
    growth: dict[OperatorId, Counter[Any]] = field(default_factory=dict)
    fenced: set[OperatorId] = field(default_factory=set)


def write_group(
    connection: duckdb.DuckDBPyConnection,
    writes: Sequence[Write],
    now: datetime,
    terms: Terms,
) -> Outcome:
    """Write and commit a group, or raise and leave nothing of it."""
    outcome = Outcome()
    connection.execute("BEGIN")
    try:
        if terms.in_doubt:  # before operators change, so that it is seen whose address does
            outcome.fenced.update(terms.follow(connection, now))
        if _put_operators(connection, writes, now, outcome):
            outcome.fenced.update(terms.follow(connection, now))
        lands = [one for one in writes if isinstance(one, Land)]
        tallies = land_all(connection, [one.landing for one in lands], now, terms)
        _answer_landings(lands, tallies, outcome)
        _touch(connection, writes, now, outcome)
        outcome.answers += [_apply(connection, one, now) for one in writes if isinstance(one, Change)]
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        terms.start_over()
        raise
    return outcome


def _put_operators(
    connection: duckdb.DuckDBPyConnection, writes: Sequence[Write], now: datetime, outcome: Outcome
) -> bool:
    """Whether any operator was put or changed."""
    touched = False
    for one in writes:
        touched = touched or isinstance(one, PutOperators | ChangeOperators)
        if isinstance(one, PutOperators):
            outcome.fenced.update(operators.put_operators(connection, one.operators, now))
            outcome.answers.append(Answer(one.ticket))
        elif isinstance(one, ChangeOperators):
            try:
                outcome.fenced.update(changing.change_operators(connection, one.changes, now))
                outcome.answers.append(Answer(one.ticket))
            except errors.MailroomError as refusal:
                outcome.answers.append(Answer(one.ticket, error=refusal))
    return touched


def _answer_landings(lands: Sequence[Land], tallies: Sequence[Tally], outcome: Outcome) -> None:
    for one, tally in zip(lands, tallies, strict=True):
        outcome.answers.append(Answer(one.ticket, tally.result()))
        outcome.growth.setdefault(one.landing.operator_id, Counter()).update(tally.growth)


def _touch(connection: duckdb.DuckDBPyConnection, writes: Sequence[Write], now: datetime, outcome: Outcome) -> None:
    """Hints and signs of life: many requests, one statement."""
    due = [operator_id for one in writes if isinstance(one, MakeDue) for operator_id in one.operator_ids]
    if due:
        operators.make_due(connection, due, now)
    signs = [sign for one in writes if isinstance(one, Heard) for sign in one.signs]
    if signs:
        operators.heard(connection, signs)
    outcome.answers += [Answer(one.ticket) for one in writes if isinstance(one, MakeDue | Heard)]


def _apply(connection: duckdb.DuckDBPyConnection, change: Change[Any], now: datetime) -> Answer:
    try:
        return Answer(change.ticket, change.apply(connection, now))
    except errors.MailroomError as refusal:
        return Answer(change.ticket, error=refusal)


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        # A failed COMMIT has rolled back already; a database past saving says so again at the next BEGIN.
        return
