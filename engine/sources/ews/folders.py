"""From the folder names of the settings to folders.

A name is a distinguished folder id of EWS in any case (``inbox``, ``SentItems``), or a path of display names in any
case, from a distinguished folder (``inbox/Projects/2026``) or from the top of the mailbox (``Projects``). Where a
folder of one's own is called like a distinguished one, the path from the top reaches it: ``msgfolderroot/Notes``.
"""

from collections.abc import Sequence

from engine.errors import FolderMissing
from engine.model import Folder, FolderId, ResolvedFolders
from engine.settings import ExchangeVersion
from engine.sources.ews.find_folder import FindFolder
from engine.sources.ews.get_folder import GetFolder
from engine.sources.ews.service import Account, element

TOP = "msgfolderroot"
_SINCE_2010 = (
    "calendar contacts deleteditems drafts inbox journal notes outbox sentitems tasks msgfolderroot publicfoldersroot "
    "root junkemail searchfolders voicemail recoverableitemsroot recoverableitemsdeletions recoverableitemsversions "
    "recoverableitemspurges archiveroot archivemsgfolderroot archivedeleteditems archiverecoverableitemsroot "
    "archiverecoverableitemsdeletions archiverecoverableitemsversions archiverecoverableitemspurges"
)
_SINCE_2013 = (
    "recoverableitemsdiscoveryholds archiveinbox archiverecoverableitemsdiscoveryholds syncissues conflicts "
    "localfailures serverfailures recipientcache quickcontacts conversationhistory adminauditlogs todosearch "
    "mycontacts directory imcontactlist peopleconnect favorites mecontact personmetadata teamspaceactivity "
    "teamspacemessaging teamspaceworkitems scheduled orionnotes tagitems alltaggeditems externalcontacts teamchat "
    "teamchathistory yammerroot yammerinbound yammeroutbound yammerfeeds onedriveroot onedriverecylebin "
    "onedrivesystem onedrivevolume important starred archive"
)
"""As DistinguishedFolderIdNameType of types.xsd spells them."""


def distinguished(version: ExchangeVersion) -> frozenset[str]:
    """The distinguished folder ids a server of this version may be asked for; another one spoils the whole request."""
    old = version is ExchangeVersion.EXCHANGE2010
    return frozenset((_SINCE_2010 if old else f"{_SINCE_2010} {_SINCE_2013}").split())


class Resolver:
    """Resolves the names of one mailbox; each folder is listed once, however many paths lead through it."""

    def __init__(self, account: Account, version: ExchangeVersion) -> None:
        self._account = account
        self._known = distinguished(version)
        self._listed: dict[tuple[str, ...], dict[str, FolderId]] = {}

    def resolve(self, names: Sequence[str]) -> ResolvedFolders:
        """See ``ports.MailSource.resolve_folders``. Of two names for one folder, the first counts."""
        paths = {name: _segments(name) for name in names}
        heads = (path[0].lower() for path in paths.values() if len(path) == 1)
        plain = [head for head in dict.fromkeys(heads) if head in self._known]
        ids = dict(zip(plain, GetFolder(self._account).call(plain), strict=True)) if plain else {}
        found: dict[FolderId, Folder] = {}
        missing: list[str] = []
        for name, path in paths.items():
            alone = path[0].lower() if len(path) == 1 else ""
            folder_id = ids[alone] if alone in ids else self._walk(path)
            if folder_id is None:
                missing.append(name)
            else:
                found.setdefault(folder_id, Folder(folder_id, name))
        return ResolvedFolders(tuple(found.values()), tuple(missing))

    def _walk(self, path: tuple[str, ...]) -> FolderId | None:
        if not path:
            return None
        start = path[0].lower()
        at: tuple[str, ...] = (start,) if start in self._known else (TOP,)
        rest = path[1:] if start in self._known else path
        folder_id: FolderId | None = None
        for segment in rest:
            folder_id = self._children(at, folder_id).get(segment.casefold())
            if folder_id is None:
                return None
            at = (*at, segment.casefold())
        return folder_id

    def _children(self, path: tuple[str, ...], folder_id: FolderId | None) -> dict[str, FolderId]:
        if path not in self._listed:
            parent = (
                element("t:DistinguishedFolderId", Id=path[0])
                if folder_id is None
                else element("t:FolderId", Id=folder_id)
            )
            try:
                children = FindFolder(self._account).call(parent, "/".join(path))
            except FolderMissing:
                children = []
            self._listed[path] = {name.strip().casefold(): child for name, child in reversed(children)}
        return self._listed[path]


def _segments(name: str) -> tuple[str, ...]:
    return tuple(segment.strip() for segment in name.split("/") if segment.strip())
