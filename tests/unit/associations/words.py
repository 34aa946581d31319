"""A store with mail and a CRM, and what it associates."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from engine.application_settings.model import NewSettings
from engine.crm.change import CrmChange, CrmOutcome
from engine.crm.model import CrmRecord, RecordKind
from engine.model import Folder, FolderId, ItemId, Landing, Operator, OperatorId
from engine.store import DuckDBStore, StoreOptions
from tests.fakes.store_emails import emails
from tests.fakes.store_words import Time

INBOX, SENT = Folder(FolderId("F-in"), "inbox"), Folder(FolderId("F-sent"), "sentitems")
WHO = (OperatorId("ann"), OperatorId("bob"))
CONTACTS = ("operator_id", "item_id", "record_kind", "record_id", '"rule"', "address", "via_item_id")


class Room:
    """``section``: what the settings say of email_sync."""

    def __init__(self, path: Path, deletions: str = "mark") -> None:
        self.store = DuckDBStore(path, Time(), StoreOptions(deletions=deletions))  # type: ignore[arg-type]  # a literal
        self._deletions = deletions
        self._epochs: dict[OperatorId, int] = {}

    async def open(self, section: dict[str, Any] | None = None) -> "Room":
        await self.store.put_operators([Operator(one, f"{one}@us.example") for one in WHO])
        await self.store.seed_settings({"email_sync": {"deletions": self._deletions} | (section or {})})
        self._epochs = {one.operator.operator_id: one.epoch for one in await self.store.activate(list(WHO))}
        return self

    async def change(self, **section: Any) -> None:
        version = await self.store.settings()
        document = {"email_sync": dict(version.document["email_sync"]) | section}
        await self.store.put_settings(NewSettings(version.version, "test", document))

    async def land(self, who: OperatorId, *rows: dict[str, Any], folder: Folder = INBOX, **parts: Any) -> None:
        if rows:
            parts["emails"] = emails(*rows)
        await self.store.land(Landing(who, self._epochs[who], folder=folder, **parts))

    async def delete(self, who: OperatorId, *ids: str, folder: Folder = INBOX) -> None:
        await self.land(who, folder=folder, deleted=tuple(map(ItemId, ids)))

    async def put(self, *records: CrmRecord, gone: Iterable[str] = (), kind: RecordKind | None = None) -> CrmOutcome:
        kind = kind or records[0].kind
        return await self.store.put_crm(CrmChange(kind, records, tuple(gone)))

    async def catch_up(self, limit: int = 1000) -> int:
        """Associate anew until nothing is left; how many steps it took."""
        steps = 0
        while await self.store.associations_left():
            await self.store.associate_some(limit)
            steps += 1
        return steps

    async def associations(self, columns: Sequence[str] = CONTACTS, where: str = "true") -> set[tuple[Any, ...]]:
        sql = f"SELECT {', '.join(columns)} FROM associations WHERE {where}"  # noqa: S608
        table, _ = await self.store.query(sql)
        return {tuple(row.values()) for row in table.to_pylist()}

    async def doubts(self) -> set[tuple[Any, ...]]:
        table, _ = await self.store.query("SELECT * EXCLUDE (candidates), list_sort(candidates) FROM ambiguous_matches")
        return {tuple(str(value) for value in row.values()) for row in table.to_pylist()}


def person(address: str) -> dict[str, str]:
    return {"name": "", "address": address}
