"""Fetched items on their way into a landing: rows, and a quarantine brought up to date."""

from dataclasses import replace

from engine.model import FetchedItems, ItemId, Landing, Moment
from engine.sync import plan
from engine.sync.state import MailboxState


def settle(
    state: MailboxState, landing: Landing, items: FetchedItems | None, deleted: frozenset[ItemId], moment: Moment
) -> tuple[MailboxState, Landing]:
    """Add fetched rows to a landing, and bring the quarantine up to date."""
    if items is None:
        return release(state, landing, deleted)
    if state.record.window_start is not None:
        items = plan.inside_window(items, state.record.window_start)
    folder = landing.folder
    if folder is None:
        raise ValueError("fetched items land in a folder")
    aside = plan.quarantine(items.unreadable, folder.folder_id, state.quarantined, state.policy, moment.now)
    landing = replace(landing, emails=items.emails, attachments=items.attachments, quarantined=aside)
    state = replace(
        state,
        summary=replace(
            state.summary,
            fetched=state.summary.fetched + items.emails.num_rows,
            quarantined=state.summary.quarantined + len(aside),
        ),
    )
    doubtful = tuple(item_id for item_id in items.missing if item_id not in deleted)
    looks = plan.second_looks(doubtful, folder.folder_id, state.quarantined, state.policy, moment.now)
    aside = (*aside, *looks)
    landing = replace(landing, quarantined=aside)
    over = frozenset(doubtful) - {entry.item_id for entry in looks}
    readable = frozenset(items.emails.column("item_id").to_pylist()) if state.quarantined else frozenset()
    state, landing = release(state, landing, readable | deleted | over)
    aside_ids = {entry.item_id for entry in aside}
    kept = tuple(entry for entry in state.quarantined if entry.item_id not in aside_ids)
    return replace(state, quarantined=(*kept, *aside)), landing


def release(state: MailboxState, landing: Landing, item_ids: frozenset[ItemId]) -> tuple[MailboxState, Landing]:
    """Let go of quarantine entries whose items have been read, or are gone."""
    released = tuple(entry.item_id for entry in state.quarantined if entry.item_id in item_ids)
    if not released:
        return state, landing
    kept = tuple(entry for entry in state.quarantined if entry.item_id not in item_ids)
    return replace(state, quarantined=kept), replace(landing, released=(*landing.released, *released))
