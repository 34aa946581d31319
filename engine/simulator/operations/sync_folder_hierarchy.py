"""SyncFolderHierarchy: what changed among the folders since a token.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/syncfolderhierarchy-operation
"""

from lxml import etree

from engine.simulator import tokens
from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.folder_shapes import FolderShape
from engine.simulator.folders import Folder
from engine.simulator.mailbox import Mailbox
from engine.simulator.requests import Model, required
from engine.simulator.soap import failure, success
from engine.simulator.tokens import HIERARCHY, Segment
from engine.simulator.xml import M, child_text

MODEL = Model("m:FolderShape m:SyncFolderId? m:SyncState?")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """Creates, updates and deletes of the folders below the one named, the top of the mailbox by default."""
    shape = FolderShape(required(request, f"{M}FolderShape"), context.version)
    state = child_text(request, f"{M}SyncState")
    try:
        mailbox, top = _top(context, request.find(f"{M}SyncFolderId"))
        since = _since(context, state, mailbox, top)
    except ResponseError as error:
        tail = b"<m:SyncState/><m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange>"
        return [failure("SyncFolderHierarchy", error, tail)]
    parts = []
    for folder in mailbox.folders.values():
        if not _is_below(folder, top):
            continue
        if since is None or folder.created_cn > since:
            parts.append(b"<t:Create>%s</t:Create>" % shape.render(mailbox, folder))
        elif folder.changed_cn > since:
            parts.append(b"<t:Update>%s</t:Update>" % shape.render(mailbox, folder))
    if since is not None:
        parts += [
            f'<t:Delete><t:FolderId Id="{folder_id}"/></t:Delete>'.encode()
            for created, gone, folder_id in mailbox.gone_folders
            if created <= since < gone
        ]
    token = tokens.write(HIERARCHY, mailbox.guid, top.number, [Segment(0, mailbox.cn, mailbox.cn, mailbox.cn)])
    return [
        success(
            "SyncFolderHierarchy",
            f"<m:SyncState>{token}</m:SyncState>".encode(),
            b"<m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange>",
            b"<m:Changes>%s</m:Changes>" % b"".join(parts),
        )
    ]


def _top(context: Context, element: etree._Element | None) -> tuple[Mailbox, Folder]:
    if element is not None:
        return context.target(element, "ErrorSyncFolderNotFound")
    if context.acting is None:
        raise ResponseError("ErrorMissingEmailAddress")
    return context.acting, context.acting.standard["msgfolderroot"]


def _since(context: Context, state: str, mailbox: Mailbox, top: Folder) -> int | None:
    if not state or context.fails("token_ignored"):
        return None
    if context.fails("token_refused"):
        raise ResponseError("ErrorInvalidSyncStateData")
    segments = tokens.read(state, HIERARCHY, mailbox.guid, top.number, mailbox.cn)
    return segments[0].upto if segments else None


def _is_below(folder: Folder, top: Folder) -> bool:
    parent = folder.parent
    while parent is not None:
        if parent is top:
            return True
        parent = parent.parent
    return False
