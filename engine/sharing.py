"""What each host is to know of Exchange, from what all of them say of it. Pure.

Hosts meet the same Exchange. Once one of them finds that it serves nobody, the others need not find out by requests of
their own, one is enough to look whether it is back, and its answer is good for all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from engine.jobs.model import Shift
from engine.orders import HostReport, Orders, Standing


def share(
    hosts: Iterable[str], reports: Mapping[str, HostReport], shift: Shift, settings_version: int = 0
) -> dict[str, Orders]:
    """Orders for every host. A host that does not answer is told the same as the others, once it does.

    The latest trouble counts, unless Exchange has answered somebody since. Exactly one host looks for its end: the
    first by name that has mailboxes waiting for it. What a host says that works by other settings does not count: it
    may be about another Exchange.
    """
    reports = {host: one for host, one in reports.items() if one.settings_version == settings_version}
    answered_at = max((one.answered_at for one in reports.values() if one.answered_at is not None), default=None)
    common = Orders(
        sync=shift.sync, subscribe=shift.subscribe, answered_at=answered_at, settings_version=settings_version
    )
    standing = _latest(reports.values(), answered_at)
    if standing is None:
        return dict.fromkeys(hosts, common)
    prober = min(reports, key=lambda host: (not _waiting(reports[host]), host))
    told = replace(common, standing=standing)
    return {host: replace(told, probe=host == prober) for host in hosts}


def _latest(reports: Iterable[HostReport], answered_at: datetime | None) -> Standing | None:
    found = (one.standing for one in reports if one.standing is not None)
    lasting = (one for one in found if answered_at is None or one.opened_at > answered_at)
    return max(lasting, key=lambda one: one.opened_at, default=None)


def _waiting(report: HostReport) -> bool:
    return report.standing is not None and report.standing.waiting > 0
