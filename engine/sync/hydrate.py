"""Fetched items come in: rows to land, items gone, items to set aside."""

from dataclasses import replace

from engine.model import FetchedItems, Landing, Moment
from engine.sync import closing, drain, peek, settle
from engine.sync.actions import FetchItems
from engine.sync.state import MailboxState, newest_first


def on_items(state: MailboxState, items: FetchedItems, moment: Moment) -> MailboxState:
    """Land what a fetch has brought, with the page it came from; what Exchange could not give for now stays in it."""
    fetching = state.doing
    if not isinstance(fetching, FetchItems):
        raise TypeError(f"items came in while doing {fetching}")
    if fetching.ahead:
        return peek.on_items(state, fetching, items, moment)
    folder = state.folder_state(fetching.folder.folder_id)
    later = tuple(item.item_id for item in items.unreadable if item.passing)
    if fetching.direct is not None:
        return drain.land_page(state, folder, fetching.direct, None if later else items, moment)
    rest = tuple(replace(page, item_ids=later) for page in state.pending if page.page_id == fetching.page_id and later)
    landing = Landing(
        state.operator.operator_id,
        state.epoch,
        folder=fetching.folder,
        amended_pages=rest,
        finished_pages=(fetching.page_id,) if fetching.page_id and not rest else (),
    )
    others = tuple(page for page in state.pending if page.page_id != fetching.page_id)
    state = replace(state, pending=newest_first((*others, *rest)))
    state, landing = settle.settle(state, landing, items, frozenset(), moment)
    return closing.land(state, landing, moment)
