"""The EWS operations the simulator knows, one per module."""

from collections.abc import Callable
from typing import NamedTuple

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.operations import (
    convert_id,
    find_folder,
    find_item,
    get_events,
    get_folder,
    get_item,
    subscribe,
    sync_folder_hierarchy,
    sync_folder_items,
    unsubscribe,
)
from engine.simulator.requests import Model


class Operation(NamedTuple):
    """An operation: what its request must look like, and what answers it."""

    model: Model
    handle: Callable[[Context, etree._Element], list[bytes]]


OPERATIONS = {
    "ConvertId": Operation(convert_id.MODEL, convert_id.handle),
    "FindFolder": Operation(find_folder.MODEL, find_folder.handle),
    "FindItem": Operation(find_item.MODEL, find_item.handle),
    "GetEvents": Operation(get_events.MODEL, get_events.handle),
    "GetFolder": Operation(get_folder.MODEL, get_folder.handle),
    "GetItem": Operation(get_item.MODEL, get_item.handle),
    "Subscribe": Operation(subscribe.MODEL, subscribe.handle),
    "SyncFolderHierarchy": Operation(sync_folder_hierarchy.MODEL, sync_folder_hierarchy.handle),
    "SyncFolderItems": Operation(sync_folder_items.MODEL, sync_folder_items.handle),
    "Unsubscribe": Operation(unsubscribe.MODEL, unsubscribe.handle),
}
