"""The EWS operations the simulator knows, one per module."""

from collections.abc import Callable
from typing import NamedTuple

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.operations import (
    convert_id,
    create_attachment,
    create_folder,
    create_item,
    delete_folder,
    delete_item,
    find_folder,
    find_item,
    get_attachment,
    get_events,
    get_folder,
    get_item,
    move_item,
    resolve_names,
    send_item,
    subscribe,
    sync_folder_hierarchy,
    sync_folder_items,
    unsubscribe,
    update_folder,
    update_item,
)
from engine.simulator.requests import Model


class Operation(NamedTuple):
    """An operation: what its request must look like, and what answers it."""

    model: Model
    handle: Callable[[Context, etree._Element], list[bytes]]


OPERATIONS = {
    "ConvertId": Operation(convert_id.MODEL, convert_id.handle),
    "CopyItem": Operation(move_item.MODEL, move_item.copy),
    "CreateAttachment": Operation(create_attachment.MODEL, create_attachment.handle),
    "CreateFolder": Operation(create_folder.MODEL, create_folder.handle),
    "CreateItem": Operation(create_item.MODEL, create_item.handle),
    "DeleteFolder": Operation(delete_folder.MODEL, delete_folder.handle),
    "DeleteItem": Operation(delete_item.MODEL, delete_item.handle),
    "FindFolder": Operation(find_folder.MODEL, find_folder.handle),
    "FindItem": Operation(find_item.MODEL, find_item.handle),
    "GetAttachment": Operation(get_attachment.MODEL, get_attachment.handle),
    "GetEvents": Operation(get_events.MODEL, get_events.handle),
    "GetFolder": Operation(get_folder.MODEL, get_folder.handle),
    "GetItem": Operation(get_item.MODEL, get_item.handle),
    "MoveItem": Operation(move_item.MODEL, move_item.move),
    "ResolveNames": Operation(resolve_names.MODEL, resolve_names.handle),
    "SendItem": Operation(send_item.MODEL, send_item.handle),
    "Subscribe": Operation(subscribe.MODEL, subscribe.handle),
    "SyncFolderHierarchy": Operation(sync_folder_hierarchy.MODEL, sync_folder_hierarchy.handle),
    "SyncFolderItems": Operation(sync_folder_items.MODEL, sync_folder_items.handle),
    "Unsubscribe": Operation(unsubscribe.MODEL, unsubscribe.handle),
    "UpdateFolder": Operation(update_folder.MODEL, update_folder.handle),
    "UpdateItem": Operation(update_item.MODEL, update_item.handle),
}
