"""GetFolder: folders by id or distinguished name.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getfolder-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.folder_shapes import FolderShape
from engine.simulator.requests import Model, children, required
from engine.simulator.soap import each
from engine.simulator.xml import M

MODEL = Model("m:FolderShape m:FolderIds")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per id, in order."""
    shape = FolderShape(required(request, f"{M}FolderShape"), context.version)

    def one(element: etree._Element) -> bytes:
        return b"<m:Folders>%s</m:Folders>" % shape.render(*context.folder(element))

    return each("GetFolder", children(request, f"{M}FolderIds"), one, b"<m:Folders/>")
