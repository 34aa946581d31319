"""Whether every address is free when all rows are through: operators of one file may hand theirs on, or swap them."""

from collections import defaultdict
from collections.abc import Iterable

from engine.imports.headers import Columns
from engine.imports.problems import Code
from engine.imports.targets import Register, Target
from engine.imports.values import Row
from engine.model import OperatorId


def find_taken(pairs: Iterable[tuple[Row, Target]], register: Register, columns: Columns) -> None:
    """Mark each row that wants an address whose holder keeps it. ``pairs`` are the rows without a problem so far.

    A row in error changes nothing, so its operator keeps the address, so whoever waited for that is in error as well.
    """
    plan = {target.wanted.operator_id: (row, target) for row, target in pairs}
    waiting: dict[OperatorId, list[OperatorId]] = defaultdict(list)
    refused: list[tuple[OperatorId, OperatorId]] = []
    for who, (_, target) in plan.items():
        if not _moves(target):
            continue
        for holder in register.holders(target.wanted.email):
            if holder in plan and _moves(plan[holder][1]):
                waiting[holder].append(who)
            else:
                refused.append((who, holder))
    while refused:
        who, holder = refused.pop()
        row, target = plan[who]
        row.add(Code.EMAIL_TAKEN, columns.title("email"), target.wanted.email, holder)
        refused += [(next_one, who) for next_one in waiting.pop(who, ())]


def _moves(target: Target) -> bool:
    return target.current is None or target.current.email != target.wanted.email
