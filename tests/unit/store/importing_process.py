"""Changes all operators again and again until it is killed; test_import_kill starts it. Prints what is durable."""

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime

from engine.model import Operator, OperatorId
from engine.operators import OperatorChange
from engine.store import DuckDBStore

PEOPLE = 3000


async def main(path: str) -> None:
    store = await DuckDBStore.open(path, lambda: datetime.now(UTC))
    present = {one.operator_id: one for one in await store.operators()}
    number = int(next(iter(present.values())).name) if present else 0
    while True:
        number += 1
        changes = []
        for n in range(PEOPLE):
            who = OperatorId(f"o{n}")
            before = present.get(who)
            fresh = Operator(who, f"o{n}@example.com", email_sync=False)
            changes.append(OperatorChange(before, replace(before or fresh, name=str(number))))
        await store.change_operators(changes)
        present = {change.after.operator_id: change.after for change in changes}
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
