"""What of a folder a request asks for.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/foldershape
"""

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from engine.simulator.errors import SoapFault
from engine.simulator.fields import RIGHTS
from engine.simulator.folders import Folder
from engine.simulator.mailbox import Mailbox
from engine.simulator.requests import Model, attribute, enumeration, violation
from engine.simulator.shapes import BASE_SHAPES
from engine.simulator.versions import EXCHANGE_2013
from engine.simulator.xml import T, child_text, escape

_MODEL = Model("t:BaseShape t:AdditionalProperties?")
_FAMILIES = {
    "IPF.Appointment": "CalendarFolder",
    "IPF.Contact": "ContactsFolder",
    "IPF.Task": "TasksFolder",
}
_FOLDER_RIGHTS = RIGHTS.replace("<t:CreateContents>false", "<t:CreateContents>true").replace(
    "<t:CreateHierarchy>false", "<t:CreateHierarchy>true"
)


@dataclass(frozen=True, slots=True)
class FolderField:
    """One property of a folder, as :class:`~engine.simulator.fields.Field` is one of a message."""

    uri: str
    render: Callable[[Mailbox, Folder], str]
    shape: str = "all"
    since: int = 0


def folder_id_xml(mailbox: Mailbox, folder: Folder, tag: str = "FolderId") -> str:
    """A folder's id element."""
    return f'<t:{tag} Id="{folder.folder_id}" ChangeKey="{mailbox.folder_change_key(folder)}"/>'


def _parent(mailbox: Mailbox, folder: Folder) -> str:
    return folder_id_xml(mailbox, folder.parent or folder, "ParentFolderId")


def _unread(_: Mailbox, folder: Folder) -> str:
    if folder.folder_class in {"IPF.Appointment", "IPF.Contact"}:
        return ""
    return f"<t:UnreadCount>{folder.unread}</t:UnreadCount>"


def _distinguished(_: Mailbox, folder: Folder) -> str:
    name = folder.distinguished
    return f"<t:DistinguishedFolderId>{name}</t:DistinguishedFolderId>" if name else ""


def _class(_: Mailbox, folder: Folder) -> str:
    return f"<t:FolderClass>{folder.folder_class}</t:FolderClass>" if folder.folder_class else ""


FOLDER_FIELDS = (
    FolderField("folder:FolderId", folder_id_xml, "id"),
    FolderField("folder:ParentFolderId", _parent),
    FolderField("folder:FolderClass", _class),
    FolderField("folder:DisplayName", lambda _, f: f"<t:DisplayName>{escape(f.name)}</t:DisplayName>", "default"),
    FolderField("folder:TotalCount", lambda _, f: f"<t:TotalCount>{len(f.entries)}</t:TotalCount>", "default"),
    FolderField(
        "folder:ChildFolderCount",
        lambda b, f: f"<t:ChildFolderCount>{len(b.children(f))}</t:ChildFolderCount>",
        "default",
    ),
    FolderField("folder:EffectiveRights", lambda _b, _f: f"<t:EffectiveRights>{_FOLDER_RIGHTS}</t:EffectiveRights>"),
    FolderField("folder:DistinguishedFolderId", _distinguished, since=EXCHANGE_2013),
    FolderField("folder:UnreadCount", _unread, "default"),
)
_BY_URI = {field.uri: field for field in FOLDER_FIELDS}
_WITHOUT_VALUE = {
    f"folder:{name}"
    for name in [
        "SearchParameters",
        "ManagedFolderInformation",
        "PermissionSet",
        "SharingEffectiveRights",
        "PolicyTag",
        "ArchiveTag",
        "ReplicaList",
    ]  # a list of this length reads as words
}


def folder_tag(folder: Folder) -> str:
    """The element a folder of this class is."""
    return _FAMILIES.get(folder.folder_class, "Folder")


def named_folder(mailbox: Mailbox, folder: Folder) -> bytes:
    """The Folders element of a response that names one folder."""
    tag = folder_tag(folder)
    return f"<m:Folders><t:{tag}>{folder_id_xml(mailbox, folder)}</t:{tag}></m:Folders>".encode()


class FolderShape:
    """A compiled FolderShape element."""

    def __init__(self, element: etree._Element, version: int) -> None:
        _MODEL.check(element)
        base = enumeration(element, child_text(element, f"{T}BaseShape"), BASE_SHAPES)
        kinds = {"IdOnly": ("id",), "Default": ("id", "default"), "AllProperties": ("id", "default", "all")}[base]
        wanted = {field.uri for field in FOLDER_FIELDS if field.shape in kinds and field.since <= version}
        for path in element.iterfind(f"{T}AdditionalProperties/*"):
            if path.tag == f"{T}FieldURI":
                wanted.add(_known(path, version))
        self._fields = [field for field in FOLDER_FIELDS if field.uri in wanted]

    def render(self, mailbox: Mailbox, folder: Folder) -> bytes:
        """The folder in this shape."""
        tag = folder_tag(folder)
        inner = "".join(field.render(mailbox, folder) for field in self._fields)
        return f"<t:{tag}>{inner}</t:{tag}>".encode()


def _known(path: etree._Element, version: int) -> str:
    uri = attribute(path, "FieldURI")
    field = _BY_URI.get(uri)
    if field is None and uri not in _WITHOUT_VALUE:
        raise violation(path, f"The 'FieldURI' attribute is invalid - The value '{uri}' is not a folder property.")
    if field is not None and field.since > version:
        raise SoapFault("ErrorIncorrectSchemaVersion")
    return uri
