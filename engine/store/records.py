"""The small records of a landing: folders, quarantine, mailbox, subscription. Each is replaced whole.

Delete and insert by join: measured, on 90,000 rows, at a third of the cost of an upsert on a primary key.
"""

from datetime import datetime

import pyarrow as pa

from engine.model import OperatorId, QuarantinedItem, SubscriptionRecord
from engine.store.keys import folder_key, item_key
from engine.store.staging import registered
from engine.store.tables import FOLDERS, ITEMS, MAILBOXES, QUARANTINED, SUBSCRIPTIONS, TEXT, columns
from engine.store.tally import Round
from engine.store.times import utc


def put_folders(work: Round) -> None:
    """``folder_record`` of each landing that has one."""
    rows = [
        (
            *(one.operator_id, f.folder_id, f.name, f.token, f.drained, f.reconciling, f.empty_seen_at),
            f.relisted or (tally.relisted > 0 and not (f.reconciling or one.reconciled)),
        )
        for one, tally in zip(work.landings, work.tallies, strict=True)
        if (f := one.folder_record) is not None
    ]
    if not rows:
        return
    key = folder_key("g")
    with registered(work.connection, "given", columns(rows, FOLDERS)):
        work.connection.execute(
            f"DELETE FROM _mailroom.folders WHERE folder_key IN (SELECT {key} FROM given AS g)"  # noqa: S608
        )
        work.connection.execute(
            f"""
            INSERT INTO _mailroom.folders
            SELECT operator_id, {key}, folder_id, name, token, drained, reconciling, empty_seen_at, relisted
            FROM given AS g
            """  # noqa: S608
        )


def put_quarantined(work: Round) -> None:
    """Items set aside and items released. ``since`` is when an item was first set aside."""
    released = {(one.operator_id, item_id) for one in work.landings for item_id in one.released}
    aside: dict[tuple[OperatorId, str], QuarantinedItem] = {
        (one.operator_id, item.item_id): item for one in work.landings for item in one.quarantined
    }
    if not released and not aside:
        return
    since = _take_out(work, list(released | aside.keys()))
    rows = []
    for (who, item_id), item in aside.items():
        if (who, item_id) not in released:
            first = since.get((who, item_id), work.now)
            tried = (item.code, item.reason, item.attempts, item.next_attempt_at)
            rows.append((who, item.folder_id, item_id, *tried, first))
    if rows:
        with registered(work.connection, "given", columns(rows, QUARANTINED)):
            work.connection.execute(
                f"""
                INSERT INTO _mailroom.quarantined
                SELECT operator_id, {item_key("g")}, {folder_key("g")}, folder_id, item_id, code, reason, attempts,
                       next_attempt_at, since
                FROM given AS g
                """  # noqa: S608
            )


def _take_out(work: Round, items: list[tuple[OperatorId, str]]) -> dict[tuple[str, str], datetime]:
    """Delete items from quarantine; says since when each was in it."""
    with registered(work.connection, "touched", columns(items, ITEMS)):
        rows = work.connection.execute(
            f"""
            DELETE FROM _mailroom.quarantined WHERE item_key IN (SELECT {item_key("t")} FROM touched AS t)
            RETURNING operator_id, item_id, since
            """  # noqa: S608
        ).fetchall()
    return {(operator_id, item_id): utc(since) for operator_id, item_id, since in rows}


def put_mailboxes(work: Round) -> None:
    """``mailbox`` of each landing that has one; that of a disabled operator stays disabled."""
    rows = []
    for one in work.landings:
        if (m := one.mailbox) is not None:
            pace = (m.window_start, m.last_success_at, m.next_sync_at)
            trouble = (m.failing_since, m.attempts, m.error_code, m.error, m.error_at)
            rows.append((one.operator_id, m.status.value, *pace, *trouble))
    if not rows:
        return
    with registered(work.connection, "given", columns(rows, MAILBOXES)):
        work.connection.execute("DELETE FROM _mailroom.mailboxes WHERE operator_id IN (SELECT operator_id FROM given)")
        work.connection.execute(
            """
            INSERT INTO _mailroom.mailboxes
            SELECT g.* REPLACE (CASE WHEN o.email_sync THEN g.status ELSE 'disabled' END AS status)
            FROM given AS g JOIN _mailroom.operators AS o USING (operator_id)
            """
        )


def put_subscriptions(work: Round) -> None:
    """``subscription`` of each landing that has one; of the same serial, the later ``heard_at`` stays."""
    given: dict[OperatorId, SubscriptionRecord] = {
        one.operator_id: one.subscription for one in work.landings if one.subscription is not None
    }
    if not given:
        return
    with registered(work.connection, "touched", pa.table({"operator_id": pa.array(list(given), TEXT)})):
        replaced = work.connection.execute(
            """
            DELETE FROM _mailroom.subscriptions WHERE operator_id IN (SELECT operator_id FROM touched)
            RETURNING operator_id, serial, heard_at
            """
        ).fetchall()
    heard = {(operator_id, serial): utc(at) for operator_id, serial, at in replaced}
    rows = []
    for who, s in given.items():
        heard_at = max((at for at in (s.heard_at, heard.get((who, s.serial))) if at is not None), default=None)
        ours = (who, s.serial, s.status.value, s.callback_url, s.status_frequency)
        theirs = (s.subscription_id, s.watermark, s.created_at, heard_at)
        rows.append((*ours, *theirs, s.next_attempt_at, s.error_code, s.error, s.unheard))
    with registered(work.connection, "given", columns(rows, SUBSCRIPTIONS)):
        work.connection.execute("INSERT INTO _mailroom.subscriptions SELECT * FROM given")
