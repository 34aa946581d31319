"""Pending pages: finished ones leave, amended ones change, queued ones come, without what has landed already."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.model import FolderId, ItemId, Landing, PendingPage
from engine.store.door.screening import kept_out
from engine.store.keys import folder_key, page_key
from engine.store.staging import Ask, Hit, registered
from engine.store.tables import PAGES, columns
from engine.store.tally import Round
from engine.store.upserts import is_landed


def put_pages(work: Round, hits: Sequence[Hit]) -> None:
    """Write the pages of the round; count what its landings list again."""
    _count_relisted(work, hits)
    _filter_queued(work, hits)
    rows = _rows(work)
    if not rows:
        return
    with registered(work.connection, "given", columns(rows, PAGES)):
        key = page_key("g")
        work.connection.execute(
            f"DELETE FROM _mailroom.pending_pages WHERE page_key IN (SELECT {key} FROM given AS g)"  # noqa: S608
        )
        if any(row[4] for row in rows):
            work.connection.execute(
                f"""
                INSERT INTO _mailroom.pending_pages
                SELECT operator_id, {key}, {folder_key("g")}, page_id, folder_id, item_ids, items, newest_at
                FROM given AS g WHERE items > 0
                """  # noqa: S608
            )


def _rows(work: Round) -> list[tuple[Any, ...]]:
    """One row a page that is touched; a page that goes has no items."""
    rows: list[tuple[Any, ...]] = []
    for landing, tally in zip(work.landings, work.tallies, strict=True):
        pages: dict[str, PendingPage | None] = dict.fromkeys(landing.finished_pages)
        pages |= {page.page_id: page for page in (*landing.amended_pages, *tally.queued)}
        for page_id, page in pages.items():
            if page is None:
                rows.append((landing.operator_id, page_id, None, [], 0, None))
            else:
                ids = list(page.item_ids)
                rows.append((landing.operator_id, page_id, page.folder_id, ids, len(ids), page.newest_at))
    return rows


def _count_relisted(work: Round, hits: Sequence[Hit]) -> None:
    for hit in hits:
        folder = work.landings[hit.landing_no].folder
        if hit.ask == Ask.LISTED and hit.current and folder is not None and hit.folder_id == folder.folder_id:
            work.tallies[hit.landing_no].relisted += 1


def _filter_queued(work: Round, hits: Sequence[Hit]) -> None:
    listed: list[list[Hit]] = [[] for _ in work.landings]
    for hit in hits:
        if hit.ask == Ask.LISTED:
            listed[hit.landing_no].append(hit)
    hidden = kept_out(work, [number for number, landing in enumerate(work.landings) if landing.queued])
    for number, (landing, tally, known) in enumerate(zip(work.landings, work.tallies, listed, strict=True)):
        if landing.queued:
            landed = _landed(work, landing, known)
            if landing.folder is not None:
                landed |= {one: landing.folder.folder_id for owner, one in hidden if owner == number}
            kept = [
                replace(page, item_ids=tuple(one for one in page.item_ids if landed.get(one) != page.folder_id))
                for page in landing.queued
            ]
            tally.queued = tuple(page for page in kept if page.item_ids)


def _landed(work: Round, landing: Landing, known: Sequence[Hit]) -> dict[str, FolderId]:
    """The listed items that are landed just so, and in which folder."""
    landed: dict[str, FolderId] = {}
    for hit in known:
        folder_id = FolderId(hit.folder_id)
        if is_landed(work, hit, folder_id, landing.listed[ItemId(hit.item_id)]):
            landed[hit.item_id] = folder_id
    if landing.emails is not None and landing.folder is not None:
        # What this very landing has brought is newer than the hits.
        ids, keys = (landing.emails.column(name).to_pylist() for name in ("item_id", "change_key"))
        for item_id, change_key in zip(ids, keys, strict=True):
            landed.pop(item_id, None)
            if change_key and change_key == landing.listed.get(item_id):
                landed[item_id] = landing.folder.folder_id
    return landed
