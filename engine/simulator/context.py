"""What an operation works with, and how it finds the folders and items a request names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from engine.simulator import ids
from engine.simulator.errors import ResponseError
from engine.simulator.faults import Faults
from engine.simulator.folders import DISTINGUISHED, Folder
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Message
from engine.simulator.organisation import Account, Organisation
from engine.simulator.requests import attribute, required, violation
from engine.simulator.shapes import Shapes
from engine.simulator.xml import T, child_text, local

if TYPE_CHECKING:
    from engine.simulator.subscriptions import Subscriptions

_KNOWN_DISTINGUISHED = DISTINGUISHED | {
    "adminauditlogs",
    "archivedeleteditems",
    "archiveinbox",
    "archivemsgfolderroot",
    "archiverecoverableitemsdeletions",
    "archiverecoverableitemspurges",
    "archiverecoverableitemsroot",
    "archiverecoverableitemsversions",
    "archiveroot",
    "conflicts",
    "conversationhistory",
    "directory",
    "favorites",
    "imcontactlist",
    "localfailures",
    "mycontacts",
    "peopleconnect",
    "publicfoldersroot",
    "quickcontacts",
    "recipientcache",
    "recoverableitemspurges",
    "recoverableitemsversions",
    "serverfailures",
    "syncissues",
    "todosearch",
    "voicemail",
}
"""Every folder the schema knows a name for; those a mailbox lacks are not found."""


@dataclass(slots=True)
class Context:
    """One request: who asks, as whom, in which version.

    Attributes:
        acting: The mailbox the request is about unless it names another; None for an account without one.
        version: Rank of RequestServerVersion.
    """

    organisation: Organisation
    shapes: Shapes
    subscriptions: "Subscriptions"
    faults: Faults
    account: Account
    acting: Mailbox | None
    version: int
    operation: str

    def fails(self, kind: str) -> bool:
        """Whether a fault of this kind is due for this request."""
        address = self.acting.address if self.acting else ""
        return self.faults.take(kind, self.operation, address) is not None

    def folder(self, element: etree._Element, missing: str = "ErrorFolderNotFound") -> tuple[Mailbox, Folder]:
        """The folder a FolderId or DistinguishedFolderId names, with its mailbox."""
        name = attribute(element, "Id")
        if element.tag == f"{T}DistinguishedFolderId":
            attribute(element, "Id", _KNOWN_DISTINGUISHED)
            mailbox = self._named(element)
            folder = mailbox.standard.get(name)
        elif element.tag == f"{T}FolderId":
            parts = ids.read_id(name)
            if parts.kind != "folder":
                raise ResponseError("ErrorInvalidFolderId" if parts.kind == "item" else "ErrorInvalidIdMalformed")
            owner = self.owner(parts.mailbox)
            if owner is None:
                raise ResponseError(missing)
            mailbox, folder = owner, owner.folders.get(name)
        else:
            raise violation(element, f"The element '{local(element)}' is not expected.")
        if folder is None:
            raise ResponseError(missing)
        return mailbox, folder

    def target(self, parent: etree._Element, missing: str = "ErrorFolderNotFound") -> tuple[Mailbox, Folder]:
        """The folder named by the only child of an element."""
        if len(parent) != 1:
            raise violation(parent, f"The element '{local(parent)}' has invalid or incomplete content.")
        return self.folder(parent[0], missing)

    def item(self, element: etree._Element) -> tuple[Mailbox, Message]:
        """The message an ItemId names, with its mailbox."""
        item_id = element.get("Id", "")
        if self.acting is not None:
            found = self.acting.find(item_id)
            if found is not None:
                return self.acting, found
        parts = ids.read_id(item_id)
        owner = self.owner(parts.mailbox)
        if owner is None or parts.kind != "item":
            raise ResponseError("ErrorItemNotFound")
        return owner, owner.item(item_id)

    def owner(self, guid: bytes) -> Mailbox | None:
        """The mailbox with this guid, if this request may look into it."""
        if self.acting is not None and self.acting.guid == guid:
            return self.acting
        mailbox = self.organisation.of_guid(guid)
        if mailbox is None or not self.organisation.may_open(self.account, self.acting, mailbox):
            return None
        return mailbox

    def _named(self, element: etree._Element) -> Mailbox:
        """The mailbox a DistinguishedFolderId is in: its Mailbox element's, else the acting one."""
        named = element.find(f"{T}Mailbox")
        if named is None:
            if self.acting is None:
                raise ResponseError("ErrorMissingEmailAddress")
            return self.acting
        mailbox = self.organisation.mailbox(child_text(required(element, f"{T}Mailbox"), f"{T}EmailAddress"))
        if not self.organisation.may_open(self.account, self.acting, mailbox):
            raise ResponseError("ErrorFolderNotFound")
        return mailbox
