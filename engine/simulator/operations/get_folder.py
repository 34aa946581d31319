"""GetFolder: folders by id or distinguished name.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getfolder-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.folder_shapes import FolderShape
from engine.simulator.requests import Model, required
from engine.simulator.soap import failure, success
from engine.simulator.xml import M

MODEL = Model("m:FolderShape m:FolderIds")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per id, in order."""
    shape = FolderShape(required(request, f"{M}FolderShape"), context.version)
    answers = []
    for element in required(request, f"{M}FolderIds"):
        try:
            mailbox, folder = context.folder(element)
        except ResponseError as error:
            answers.append(failure("GetFolder", error, b"<m:Folders/>"))
        else:
            answers.append(success("GetFolder", b"<m:Folders>", shape.render(mailbox, folder), b"</m:Folders>"))
    return answers
