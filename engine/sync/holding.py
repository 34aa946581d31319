"""What a mailbox leaves while it is held: its backfill. What is new it goes on with.

A folder that has been drained once is drained on, also when its listing has to begin anew: without that nobody would
know what is new. A folder that has not is backfill, and so are the pages it has queued. Pages are new when a drain of
what is new has queued them, or when they hold an email received since the last success: the first is known in memory
only, the second survives a restart.
"""

from dataclasses import replace

from engine.model import PendingPage
from engine.sync.state import FolderState, MailboxState


def may_drain(state: MailboxState, folder: FolderState) -> bool:
    """Whether a folder may be read now."""
    return not state.held or folder.record.drained


def may_fetch(state: MailboxState, page: PendingPage) -> bool:
    """Whether a pending page may be fetched now."""
    if not state.held or page.page_id in state.fresh:
        return True
    since = state.record.last_success_at
    return since is not None and page.newest_at is not None and page.newest_at >= since


def remember(state: MailboxState, folder: FolderState, queued: tuple[PendingPage, ...]) -> MailboxState:
    """Keep in mind that these pages of a folder, as it was before they were listed, hold what is new.

    A listing begun anew lists everything, and what of it is new only the dates can say.
    """
    if not queued or not folder.record.drained or folder.record.reconciling:
        return state
    return replace(state, fresh=state.fresh | {page.page_id for page in queued})


def forget_gone(state: MailboxState) -> MailboxState:
    """Drop the ids of pages that are pending no more."""
    if not state.fresh:
        return state
    return replace(state, fresh=state.fresh & {page.page_id for page in state.pending})
