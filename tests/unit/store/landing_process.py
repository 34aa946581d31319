"""Lands without end until it is killed; test_kill starts it. Prints a line for each landing that is durable."""

import asyncio
import sys
from datetime import UTC, datetime

from engine.model import Activation, Folder, FolderId, FolderRecord, ItemId, Landing, Operator, OperatorId, SyncToken
from engine.store import DuckDBStore, StoreOptions
from tests.fakes.store_emails import emails

INBOX = Folder(FolderId("F"), "inbox")


async def land_on(store: DuckDBStore, activation: Activation) -> None:
    """Landing n brings three emails, deletes the first of landing n - 1, and sets the token to n."""
    who = activation.operator.operator_id
    number = int(activation.folders[0].token or 0) if activation.folders else -1
    while True:
        number += 1
        rows = emails(*({"item_id": f"{number}-{n}", "body_text": f"{who} " * 2000} for n in range(3)))
        record = FolderRecord(INBOX.folder_id, "inbox", SyncToken(str(number)))
        gone = (ItemId(f"{number - 1}-0"),)
        landing = Landing(who, activation.epoch, folder=INBOX, emails=rows, deleted=gone, folder_record=record)
        await store.land(landing)
        sys.stdout.write(f"{who} {number}\n")
        sys.stdout.flush()


async def main(path: str) -> None:
    store = await DuckDBStore.open(path, lambda: datetime.now(UTC), StoreOptions(checkpoint_at="300KB"))
    who = [OperatorId(f"o{n}") for n in range(4)]
    await store.put_operators([Operator(one, f"{one}@example.com") for one in who])
    await asyncio.gather(*(land_on(store, one) for one in await store.activate(who)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
