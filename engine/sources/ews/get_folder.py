"""GetFolder: the ids of distinguished folders.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getfolder-operation
"""

from collections.abc import Sequence

from lxml import etree

from engine.errors import FolderMissing, RequestRefused, ResponseUnreadable
from engine.model import FolderId
from engine.sources.ews.service import Message, Operation, element, properties
from engine.sources.ews.tags import m, t
from engine.sources.ews.translate import translate


class GetFolder(Operation):
    """Several distinguished folders at once."""

    SERVICE_NAME = "GetFolder"

    def call(self, names: Sequence[str]) -> list[FolderId | None]:
        """The folders' ids in the order of the names; None where the mailbox has no such folder."""
        try:
            messages = self.send(self.get_payload(names))
        except RequestRefused as error:
            if error.code != "ErrorSchemaValidation":
                raise
            # The server does not know one of the names, and so refuses them all
            return [None] if len(names) == 1 else self._one_by_one(names)
        if len(messages) == 1 < len(names) and messages[0].refusal is not None:
            # One refusal for the whole batch is a way to answer, too
            refused = translate(messages[0].refusal, self.mailbox, folder=", ".join(names))
            if isinstance(refused, FolderMissing):
                return self._one_by_one(names)
            raise refused
        if len(messages) != len(names):
            raise ResponseUnreadable(f"{self.mailbox}: {len(messages)} answers about {len(names)} folders.")
        return [self._id(message, name) for message, name in zip(messages, names, strict=True)]

    def _one_by_one(self, names: Sequence[str]) -> list[FolderId | None]:
        return [self.call([name])[0] for name in names]

    def own_spelling(self, folder_id: str) -> FolderId | None:
        """How the server itself writes the id of this folder; None if it does not know the folder."""
        ids = element("m:FolderIds", element("t:FolderId", Id=folder_id))
        try:
            messages = self.send(element("m:GetFolder", properties("m:FolderShape", "IdOnly", ()), ids))
        except (FolderMissing, RequestRefused, ResponseUnreadable):
            return None
        return self._id(messages[0], folder_id) if len(messages) == 1 and messages[0].refusal is None else None

    def get_payload(self, names: Sequence[str]) -> etree._Element:
        """The request."""
        ids = (element("t:DistinguishedFolderId", Id=name) for name in names)
        return element("m:GetFolder", properties("m:FolderShape", "IdOnly", ()), element("m:FolderIds", *ids))

    def _id(self, message: Message, name: str) -> FolderId | None:
        if message.refusal is not None:
            error = translate(message.refusal, self.mailbox, folder=name)
            if isinstance(error, FolderMissing):
                return None
            raise error
        found = message.element.find(f"{m('Folders')}/*/{t('FolderId')}")
        folder_id = found.get("Id") if found is not None else None
        return FolderId(folder_id) if folder_id else None
