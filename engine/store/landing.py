"""One transaction's worth of writes, in the order ``engine.model.Landing`` gives."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import duckdb

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.model import Landing, OperatorId
from engine.store import deletions, pages, records, upserts
from engine.store.door import screening
from engine.store.staging import find_hits, stage
from engine.store.tally import Round, Tally
from engine.store.terms import Terms


def check(landing: Landing) -> None:
    """Refuse, before it is queued, a landing that could only fail.

    Raises:
        ValueError: emails or items without a folder, or columns that are not ``engine.columns``'.
    """
    if landing.folder is None and (
        landing.emails or landing.deleted or landing.read_flags or landing.seen or landing.reconciled
    ):
        raise ValueError("a landing with items wants a folder")
    for batch, schema in ((landing.emails, FETCHED_EMAILS), (landing.attachments, FETCHED_ATTACHMENTS)):
        if batch is None or batch.schema.equals(schema):
            continue
        if batch.schema.names != schema.names or batch.schema.types != schema.types:
            raise ValueError("the columns of a landing are not those of engine.columns")


def land_all(
    connection: duckdb.DuckDBPyConnection,
    landings: Sequence[Landing],
    now: datetime,
    terms: Terms,
) -> list[Tally]:
    """Apply landings inside the caller's transaction, those of one operator one after the other."""
    rounds: list[list[int]] = []
    turns: dict[OperatorId, int] = defaultdict(int)
    for position, landing in enumerate(landings):
        turn = turns[landing.operator_id]
        turns[landing.operator_id] += 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(position)
    tallies = [Tally()] * len(landings)
    for positions in rounds:
        work = _round_of(connection, [landings[position] for position in positions], now, terms)
        _land_round(work)
        for position, tally in zip(positions, work.tallies, strict=True):
            tallies[position] = tally
    return tallies


def _round_of(connection: duckdb.DuckDBPyConnection, landings: Sequence[Landing], now: datetime, terms: Terms) -> Round:
    screened = [terms.doorkeeper.screen(connection, landing) for landing in landings]
    kept, hidden = [landing for landing, _ in screened], [hidden for _, hidden in screened]
    return Round(connection, kept, now, terms, hidden)


def _land_round(work: Round) -> None:
    staged = stage(work.landings)
    hits = find_hits(work.connection, staged)
    deletions.delete(work, hits)
    screening.keep_out(work)
    upserts.flag(work, hits)
    upserts.upsert(work, staged, hits)
    pages.put_pages(work, hits)
    deletions.reconcile(work)
    records.put_quarantined(work)
    records.put_folders(work)
    records.put_mailboxes(work)
    records.put_subscriptions(work)
