"""CreateFolder: new folders.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/createfolder-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.folder_shapes import named_folder
from engine.simulator.requests import Model, children, required
from engine.simulator.soap import each
from engine.simulator.xml import M, T, child_text, clean, local

MODEL = Model("m:ParentFolderId m:Folders")
_CLASSES = {"CalendarFolder": "IPF.Appointment", "ContactsFolder": "IPF.Contact", "TasksFolder": "IPF.Task"}


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per folder, in order, with its id."""

    def one(element: etree._Element) -> bytes:
        mailbox, parent = context.target(required(request, f"{M}ParentFolderId"), "ErrorParentFolderNotFound")
        name = clean(child_text(element, f"{T}DisplayName")).strip()
        if not name:
            raise ResponseError("ErrorMissingArgument", "The folder needs a DisplayName.")
        folder_class = child_text(element, f"{T}FolderClass") or _CLASSES.get(local(element), "IPF.Note")
        return named_folder(mailbox, mailbox.create_folder(parent, name, folder_class))

    return each("CreateFolder", children(request, f"{M}Folders"), one, b"<m:Folders/>")
