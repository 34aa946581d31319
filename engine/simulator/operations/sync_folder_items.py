"""SyncFolderItems: what changed in a folder since a token.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/syncfolderitems-operation
"""

from lxml import etree

from engine.simulator import tokens
from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.folders import Folder
from engine.simulator.mailbox import Mailbox
from engine.simulator.requests import Model, enumeration, integer, required
from engine.simulator.shapes import Shape
from engine.simulator.soap import failure, success
from engine.simulator.tokens import ITEMS, Page, Segment
from engine.simulator.xml import M, T, boolean, child_text

MODEL = Model("m:ItemShape m:SyncFolderId m:SyncState? m:Ignore? m:MaxChangesReturned m:SyncScope?")
_REFUSED = b"<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One page of changes and the token after it."""
    shape = context.shapes.compile(required(request, f"{M}ItemShape"), context.version, listed=True)
    most = required(request, f"{M}MaxChangesReturned")
    limit = integer(most, most.text or "", 1, 512)
    enumeration(
        request, child_text(request, f"{M}SyncScope", "NormalItems"), ("NormalItems", "NormalAndAssociatedItems")
    )
    ignored = {element.get("Id", "") for element in request.iterfind(f"{M}Ignore/{T}ItemId")}
    try:
        mailbox, folder = context.target(required(request, f"{M}SyncFolderId"), "ErrorSyncFolderNotFound")
        segments = _segments(context, child_text(request, f"{M}SyncState"), mailbox, folder)
    except ResponseError as error:
        return [failure("SyncFolderItems", error, _REFUSED)]
    page = tokens.changes(folder, segments, limit, mailbox.cn)
    token = tokens.write(ITEMS, mailbox.guid, folder.number, page.segments)
    return [
        success(
            "SyncFolderItems",
            f"<m:SyncState>{token}</m:SyncState><m:IncludesLastItemInRange>{boolean(page.complete)}"
            "</m:IncludesLastItemInRange><m:Changes>".encode(),
            *_changes(context, mailbox, page, shape, ignored),
            b"</m:Changes>",
        )
    ]


def _segments(context: Context, state: str, mailbox: Mailbox, folder: Folder) -> list[Segment]:
    if not state or context.fails("token_ignored"):
        return []
    if context.fails("token_refused"):
        raise ResponseError("ErrorInvalidSyncStateData")
    return tokens.read(state, ITEMS, mailbox.guid, folder.number, mailbox.cn)


def _changes(context: Context, mailbox: Mailbox, page: Page, shape: Shape, ignored: set[str]) -> list[bytes]:
    render = context.shapes.render
    parts = [b"<t:Create>%s</t:Create>" % render(mailbox, m, shape) for m in page.creates if m.item_id not in ignored]
    parts += [b"<t:Update>%s</t:Update>" % render(mailbox, m, shape) for m in page.updates if m.item_id not in ignored]
    parts += [
        f'<t:Delete><t:ItemId Id="{stone.item_id}" ChangeKey="{stone.change_key}"/></t:Delete>'.encode()
        for stone in page.deletes
        if stone.item_id not in ignored
    ]
    parts += [
        f'<t:ReadFlagChange><t:ItemId Id="{m.item_id}" ChangeKey="{mailbox.change_key(m)}"/>'
        f"<t:IsRead>{boolean(m.is_read)}</t:IsRead></t:ReadFlagChange>".encode()
        for m in page.reads
        if m.item_id not in ignored
    ]
    return parts
