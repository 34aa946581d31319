"""Which folders a mailbox has: resolving names, folders that went, came or changed their id."""

from dataclasses import replace

from engine.errors import FolderMissing
from engine.model import Folder, FolderRecord, Landing, ResolvedFolders
from engine.sync.state import FolderState, MailboxState


def on_resolved(state: MailboxState, resolved: ResolvedFolders) -> MailboxState:
    """Take the folders Exchange has; what is pending elsewhere waits (a folder the settings dropped) or goes."""
    known = {folder.record.folder_id: folder for folder in state.folders}
    saved = {record.folder_id: record for record in state.saved_folders}
    landed = dict(state.landed)
    present = tuple(
        known.get(folder.folder_id)
        or _awaken(saved.get(folder.folder_id), folder, landed.get(folder.folder_id, 0), state)
        for folder in resolved.found
    )
    ids = {folder.record.folder_id for folder in present}
    names = {folder.record.name for folder in present}
    expected = names.union(resolved.missing)
    elsewhere = [record for record in state.saved_folders if record.folder_id not in ids]
    missing = ", ".join(resolved.missing)
    return replace(
        state,
        doing=None,
        resolved=True,
        folders=present,
        saved_folders=tuple(record for record in state.saved_folders if record.folder_id in ids),
        pending=tuple(page for page in state.pending if page.folder_id in ids),
        retired=tuple(record.folder_id for record in elsewhere if record.name in names),
        parked=tuple(filter(None, (_park(state, record) for record in elsewhere if record.name not in expected))),
        trouble=FolderMissing(f"The mailbox {state.operator.email} has no folder {missing}.") if missing else None,
    )


def _awaken(saved: FolderRecord | None, folder: Folder, landed: int, state: MailboxState) -> FolderState:
    record = saved or FolderRecord(folder.folder_id, folder.name, reconciling=landed > 0)
    # A reconciling drain that a crash cut short goes on from its token; what it had seen is in the store.
    return FolderState(
        replace(record, name=folder.name),
        landed=landed,
        draining=record.reconciling and record.token is not None,
        listed_any=record.reconciling and record.token is not None,
        forget_seen=record.reconciling and record.token is None,
        limit=state.policy.batch_size,
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
        record=replace(folder.record, token=None, reconciling=reconciling),
        draining=True,
        listed_any=False,
        relisted=False,
        forget_seen=True,
    )


def relist_all(state: MailboxState) -> MailboxState:
    """List every folder anew, known and saved ones: the window has been widened."""
    return replace(
        state,
        folders=tuple(begin_anew(folder) for folder in state.folders),
        saved_folders=tuple(replace(record, token=None, reconciling=True) for record in state.saved_folders),
    )
