"""Which folders a mailbox has: resolving names, folders that went, came or changed their id."""

from dataclasses import replace
from typing import Any

from engine.errors import FolderMissing
from engine.model import Folder, FolderId, FolderRecord, Landing, ResolvedFolders, SubscriptionStatus
from engine.sync.actions import ResolveFolders
from engine.sync.state import Ahead, FolderState, MailboxState


def on_resolved(state: MailboxState, resolved: ResolvedFolders) -> MailboxState:
    """Take the folders Exchange has.

    What is known of a folder that is missing waits for it to come back; what is pending of one that was replaced, or
    that the settings no longer name, goes.
    """
    known = {folder.record.folder_id: folder for folder in state.folders}
    saved = {record.folder_id: record for record in state.saved_folders}
    saved |= {folder_id: folder.record for folder_id, folder in known.items()}
    landed = dict(state.landed) | {folder_id: folder.landed for folder_id, folder in known.items()}
    present = tuple(
        known.get(folder.folder_id)
        or _awaken(saved.get(folder.folder_id), folder, landed.get(folder.folder_id, 0), state.policy.batch_size)
        for folder in resolved.found
    )
    ids = {folder.record.folder_id for folder in present}
    names = {folder.record.name for folder in present}
    elsewhere = [record for folder_id, record in saved.items() if folder_id not in ids]
    replaced = [record for record in elsewhere if record.name in names]
    dropped = [record for record in elsewhere if record.name not in names.union(resolved.missing)]
    kept = saved.keys() - {record.folder_id for record in (*replaced, *dropped)}
    retired = (*state.retired, *(record.folder_id for record in replaced))  # earlier ones may not have landed yet
    return replace(
        state,
        doing=None,
        resolved=True,
        incomplete=bool(resolved.missing) or _asked_for_others(state),
        folders=present,
        saved_folders=tuple(record for folder_id, record in saved.items() if folder_id in kept),
        landed=tuple(landed.items()),
        pending=tuple(page for page in state.pending if page.folder_id in kept),
        retired=tuple(folder_id for folder_id in retired if folder_id not in ids),
        parked=tuple(filter(None, (_park(state, record) for record in dropped))),
        trouble=_missing(state, resolved.missing),
        **_cover_all(state, {one for one in ids - known.keys() if one not in saved or saved[one].token is None}),
    )


def _asked_for_others(state: MailboxState) -> bool:
    """Whether the settings have come to name other folders while these were looked for."""
    return isinstance(state.doing, ResolveFolders) and state.doing.names != state.policy.folders


def _missing(state: MailboxState, names: tuple[str, ...]) -> FolderMissing | None:
    if not names:
        return None
    return FolderMissing(f"The mailbox {state.operator.email} has no folder {', '.join(names)}.")


def _cover_all(state: MailboxState, strangers: set[FolderId]) -> dict[str, Any]:
    """A subscription made before a folder was known does not speak of it: it has to be made anew."""
    old = state.subscription
    if not strangers or old is None or old.status is not SubscriptionStatus.ACTIVE:
        return {}
    return {"subscription": replace(old, status=SubscriptionStatus.LOST), "dirty_subscription": True}


def _awaken(saved: FolderRecord | None, folder: Folder, landed: int, limit: int) -> FolderState:
    record = replace(saved or FolderRecord(folder.folder_id, folder.name), name=folder.name)
    # A reconciling drain that a crash cut short goes on from its token; what it had seen is in the store.
    cut_short = record.reconciling and record.token is not None
    return FolderState(
        record,
        landed=landed,
        listed_any=cut_short,
        forget_seen=record.reconciling and not cut_short,
        limit=limit,
    )


def _park(state: MailboxState, record: FolderRecord) -> Landing | None:
    """Let go of a folder the settings no longer name: its rows stay, and it is listed anew should it come back."""
    pages = tuple(page.page_id for page in state.pending if page.folder_id == record.folder_id)
    if record.token is None and not pages:
        return None
    return Landing(
        state.operator.operator_id,
        state.epoch,
        folder=Folder(record.folder_id, record.name),
        finished_pages=pages,
        forget_seen=True,
        folder_record=replace(record, token=None, drained=True, reconciling=True),
    )


def begin_anew(folder: FolderState) -> FolderState:
    """A drain from nothing; what it does not list any more is tombstoned at its end."""
    reconciling = folder.record.reconciling or folder.record.drained or folder.landed > 0
    return replace(
        folder,
        record=replace(folder.record, token=None, reconciling=reconciling, relisted=False),
        draining=True,
        listed_any=False,
        forget_seen=True,
        ahead=Ahead(folder.ahead.asked, folder.ahead.after),
    )


def relist_all(state: MailboxState) -> MailboxState:
    """List every folder anew, known and saved ones, and have that durable first: the window has been widened."""
    known = tuple(begin_anew(folder) for folder in state.folders)
    ids = {folder.record.folder_id for folder in known}
    saved = tuple(replace(record, token=None, reconciling=True) for record in state.saved_folders)
    records = (*(folder.record for folder in known), *(record for record in saved if record.folder_id not in ids))
    return replace(state, folders=known, saved_folders=saved, parked=tuple(_put(state, record) for record in records))


def _put(state: MailboxState, record: FolderRecord) -> Landing:
    folder = Folder(record.folder_id, record.name)
    return Landing(state.operator.operator_id, state.epoch, folder=folder, folder_record=record)
