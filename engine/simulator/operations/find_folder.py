"""FindFolder: the folders below a folder.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/findfolder-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.folder_shapes import FolderShape
from engine.simulator.folders import Folder
from engine.simulator.mailbox import Mailbox
from engine.simulator.paging import page_of
from engine.simulator.requests import Model, attribute, children, required
from engine.simulator.restrictions import compile_restriction, folder_value
from engine.simulator.soap import each
from engine.simulator.xml import M

MODEL = Model("m:FolderShape (m:IndexedPageFolderView|m:FractionalPageFolderView)? m:Restriction? m:ParentFolderIds")
TRAVERSALS = ("Shallow", "Deep", "SoftDeleted")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per parent folder."""
    traversal = attribute(request, "Traversal", TRAVERSALS)
    shape = FolderShape(required(request, f"{M}FolderShape"), context.version)
    wanted = compile_restriction(request.find(f"{M}Restriction"), folder_value)
    view = request.find(f"{M}IndexedPageFolderView")
    if view is None:
        view = request.find(f"{M}FractionalPageFolderView")

    def one(element: etree._Element) -> bytes:
        mailbox, parent = context.folder(element)
        found = [folder for folder in _below(mailbox, parent, traversal) if wanted(mailbox, folder)]
        page = page_of(view, found)
        body = b"".join(shape.render(mailbox, folder) for folder in page.entries)
        return b"<m:RootFolder %s><t:Folders>%s</t:Folders></m:RootFolder>" % (page.attributes.encode(), body)

    return each("FindFolder", children(request, f"{M}ParentFolderIds"), one)


def _below(mailbox: Mailbox, parent: Folder, traversal: str) -> list[Folder]:
    if traversal == "SoftDeleted":
        return []
    found = []
    for child in mailbox.children(parent):
        found.append(child)
        if traversal == "Deep":
            found += _below(mailbox, child, traversal)
    return found
