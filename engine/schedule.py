"""Whom to dispatch now, and to which host. Pure: due operators and reports in, batches out."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta

from engine.jobs.model import Shift
from engine.model import OperatorId
from engine.orders import HostReport
from engine.placement import Placement
from engine.status import DueOperator

_SLOW_AFTER = timedelta(seconds=60)
_SLOW_ONES = 7
"""How many times its credit a host may have under way in slow passes beside it: they cost memory."""
_WIDEN = 4
_WIDEST = 1 << 16


def anybody(shift: Shift) -> bool:
    """Whether anybody at all may be dispatched."""
    return shift.sync or (shift.subscribe and shift.subscribing)


def rooms(
    reports: Mapping[str, HostReport], credit: int, slow: AbstractSet[OperatorId] = frozenset()
) -> dict[str, int]:
    """How many more passes each host that answers may be given.

    A pass that is ``slow``, a long backfill mostly, takes no credit as long as there are not too many of them: else a
    host full of backfills would keep everybody else waiting for one of them to end.
    """
    return {host: _room(report, credit, slow) for host, report in reports.items()}


def slow_ones(since: Mapping[OperatorId, datetime], now: datetime) -> frozenset[OperatorId]:
    """Operators whose pass has been under way for long, by since when each has been."""
    return frozenset(operator_id for operator_id, at in since.items() if now - at > _SLOW_AFTER)


def only_one(reports: Mapping[str, HostReport]) -> bool:
    """Whether one mailbox is to go ahead of all others: nobody knows yet how Exchange receives us.

    A wrong password is then refused once, and not once by every host: enough of that locks an account.
    """
    served = any(report.answered_at is not None for report in reports.values())
    warned = all(report.standing is not None for report in reports.values())
    return not served and not warned


def batches(  # noqa: PLR0913  # what is known of who waits, who works and what is wanted
    due: Sequence[DueOperator],
    reports: Mapping[str, HostReport],
    placement: Placement,
    room: Mapping[str, int],
    shift: Shift,
    *,
    one: bool = False,
) -> dict[str, list[DueOperator]]:
    """Due operators by host, in the order given, as far as each host's room goes; with ``one``, one in all.

    Operators in progress, of a host that does not answer, or due for nothing the jobs want, are left for a later tick.
    """
    busy = {operator_id for report in reports.values() for operator_id in report.in_progress}
    planned: dict[str, list[DueOperator]] = {}
    for each in due:
        if one and (busy or planned):
            break
        wanted = _wanted(each, shift)
        host = placement.host_of(each.operator_id)
        full = len(planned.get(host, ())) >= room.get(host, 0)
        if each.operator_id in busy or full or not (wanted.sync or wanted.subscribe):
            continue
        planned.setdefault(host, []).append(wanted)
    return planned


def next_limit(
    limit: int,
    least: int,
    due: Sequence[DueOperator],
    planned: Mapping[str, Sequence[DueOperator]],
    room: Mapping[str, int],
) -> int:
    """How many due operators to ask for at the next tick.

    Where as many were found as asked for, and hosts had room for more than could be planned, those found are in each
    other's way (all of one host, or due for nothing the jobs want), and who could go stands behind them.
    """
    if len(due) < limit:
        return least
    idle = sum(max(0, free) for free in room.values()) - sum(len(batch) for batch in planned.values())
    return max(least, min(_WIDEN * limit, _WIDEST)) if idle > 0 else max(least, limit)


def homeless(operator_ids: Iterable[OperatorId], placement: Placement, started: AbstractSet[str]) -> list[str]:
    """Hosts of these operators that nobody has started yet.

    There are none unless each operator has a host of its own and some have come since the placement was made.
    """
    if not placement.literal:
        return []
    there = {*placement.hosts, *started}
    wanted = dict.fromkeys(placement.host_of(operator_id) for operator_id in operator_ids)
    return [host for host in wanted if host not in there]


def restarted(known: Mapping[str, str], reports: Mapping[str, HostReport]) -> list[str]:
    """Hosts that have another incarnation than when last seen, or are seen for the first time.

    Either way a predecessor may have taken notices that are lost with its memory.
    """
    return [host for host, report in reports.items() if known.get(host) != report.incarnation]


def _wanted(one: DueOperator, shift: Shift) -> DueOperator:
    """A subscription is made along the way of a sync, or while a run of ManagePushSubscriptions is open."""
    sync = one.sync and shift.sync
    return replace(one, sync=sync, subscribe=one.subscribe and shift.subscribe and (sync or shift.subscribing))


def _room(report: HostReport, credit: int, slow: AbstractSet[OperatorId]) -> int:
    long = sum(operator_id in slow for operator_id in report.in_progress)
    return credit + min(long, _SLOW_ONES * credit) - len(report.in_progress)
