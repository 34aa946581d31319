"""Changes of operators: what is asked for, what stands against it, and what a configuration file has to say. Pure.

A change names the operator as whoever asks has seen it, and is made only if that still holds: nobody undoes what
somebody else has done meanwhile, whether it is one operator that changes or a file of fifty thousand.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from engine.errors import AddressTaken, OperatorExists, OperatorsChanged, UnknownOperator
from engine.model import Operator, OperatorId


@dataclass(frozen=True, slots=True)
class OperatorChange:
    """One operator, as it is (``before``; None: there is none yet) and as it is to be.

    ``again``: somebody has said "enable", so a mailbox that fails is taken out of its backoff even if nothing changes.
    """

    before: Operator | None
    after: Operator
    again: bool = False

    def matters(self) -> bool:
        """Whether it is anything to the mailbox: a name is not."""
        if self.before is None or self.again:
            return True
        return (self.before.email, self.before.email_sync) != (self.after.email, self.after.email_sync)


def check_changes(changes: Sequence[OperatorChange], present: Mapping[OperatorId, Operator]) -> None:
    """Let changes pass that can be made together.

    ``present`` has at least the operators with the ids of the changes, and those with the addresses they want. Two
    operators may have swapped addresses; two that have had one address all along may keep it.

    Raises:
        OperatorExists: a new operator's id is taken.
        UnknownOperator, OperatorsChanged: an operator is not, or is no more, what ``before`` says.
        AddressTaken: an address would be that of two operators.
    """
    for change in changes:
        _check_before(change, present.get(change.after.operator_id))
    resulting = {**present, **{change.after.operator_id: change.after for change in changes}}
    holders: dict[str, list[OperatorId]] = defaultdict(list)
    for operator in resulting.values():
        holders[operator.email.lower()].append(operator.operator_id)
    for change in changes:
        others = [one for one in holders[change.after.email.lower()] if one != change.after.operator_id]
        if others and _moves(change):
            raise AddressTaken(f"{change.after.email} is the address of another operator: {others[0]}.")


def _check_before(change: OperatorChange, present: Operator | None) -> None:
    who = change.after.operator_id
    if change.before is None and present is not None:
        raise OperatorExists(f"There is an operator {who} already, with the address {present.email}.")
    if change.before is not None and present is None:
        raise UnknownOperator(f"There is no operator {who}.")
    if present != change.before:
        raise OperatorsChanged(f"The operator {who} has been changed by somebody else meanwhile.")


def _moves(change: OperatorChange) -> bool:
    return change.before is None or change.before.email.lower() != change.after.email.lower()


@dataclass(frozen=True, slots=True)
class Seeding:
    """What a configuration file leads to.

    ``changes`` are to be made; ``refused`` says of whom the file wants what is not possible, and why; ``gone`` stood in
    the file the last time and do not any more: they stay as they are.
    """

    changes: tuple[OperatorChange, ...]
    refused: dict[OperatorId, str]
    gone: tuple[OperatorId, ...]


def seed(
    file: Iterable[Operator], said: Mapping[OperatorId, Operator], present: Mapping[OperatorId, Operator]
) -> Seeding:
    """Take in the operators a file names, where it ``said`` something else (or nothing) of them the last time.

    A field that the file has not touched since stays as it was set elsewhere. ``present`` are all operators.
    """
    resulting = dict(present)
    holders = {operator.email.lower(): operator.operator_id for operator in present.values()}
    changes, refused, named = [], {}, set()
    for operator in file:
        who = operator.operator_id
        named.add(who)
        wanted = _edited(operator, said.get(who), resulting.get(who))
        change = OperatorChange(resulting.get(who), wanted)
        if change.before == wanted:
            continue
        holder = holders.get(wanted.email.lower(), who)
        if holder != who and _moves(change):
            refused[who] = f"{wanted.email} is the address of another operator: {holder}."
            continue
        changes.append(change)
        resulting[who] = wanted
        if change.before is not None and _moves(change):
            holders.pop(change.before.email.lower(), None)
        holders[wanted.email.lower()] = who
    return Seeding(tuple(changes), refused, tuple(sorted(said.keys() - named)))


def _edited(now: Operator, then: Operator | None, present: Operator | None) -> Operator:
    if then is None or present is None:
        return now
    names = [one.name for one in fields(Operator) if getattr(now, one.name) != getattr(then, one.name)]
    return replace(present, **{name: getattr(now, name) for name in names})
