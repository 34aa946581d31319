"""Whom to dispatch now, and to which host. Pure: due operators and reports in, batches out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.orders import HostReport
from engine.placement import Placement
from engine.status import DueOperator


@dataclass(frozen=True, slots=True)
class Jobs:
    """Which of the jobs run."""

    sync: bool = True
    subscribe: bool = True


def batches(
    due: Sequence[DueOperator], reports: Mapping[str, HostReport], placement: Placement, credit: int, jobs: Jobs
) -> dict[str, list[DueOperator]]:
    """Due operators by host, in the order given, as far as each host's credit (passes under way at once) goes.

    Operators in progress, of a host that does not answer, or due for nothing that runs, are left for a later tick.
    """
    busy = {operator_id for report in reports.values() for operator_id in report.in_progress}
    room = {host: credit - len(report.in_progress) for host, report in reports.items()}
    planned: dict[str, list[DueOperator]] = {}
    for one in due:
        wanted = replace(one, sync=one.sync and jobs.sync, subscribe=one.subscribe and jobs.subscribe)
        host = placement.host_of(one.operator_id)
        if one.operator_id in busy or room.get(host, 0) <= 0 or not (wanted.sync or wanted.subscribe):
            continue
        room[host] -= 1
        planned.setdefault(host, []).append(wanted)
    return planned


def restarted(known: Mapping[str, str], reports: Mapping[str, HostReport]) -> list[str]:
    """Hosts that have another incarnation than when last seen, or are seen for the first time.

    Either way a predecessor may have taken notices that are lost with its memory.
    """
    return [host for host, report in reports.items() if known.get(host) != report.incarnation]
