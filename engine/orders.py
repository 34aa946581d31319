"""What the coordinator tells each host, and what each host says of itself: level-triggered, both ways, at every tick.

Nothing here is remembered by anybody who could die with it: the next tick says it all again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.errors import SourceError
from engine.model import OperatorId


@dataclass(frozen=True, slots=True)
class Standing:
    """Exchange as a whole does not serve us: every request would meet ``error``.

    ``waiting``: mailboxes of the host that failed of it and wait for its end.
    """

    error: SourceError
    opened_at: datetime
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Orders:
    """``sync``: EmailSync is enabled; while it is not, a mailbox synchronises what is new and leaves its backfill.

    ``subscribe``: ManagePushSubscriptions is enabled. ``standing``: what another host has found about Exchange (None:
    nothing). ``answered_at``: when Exchange last served any host. ``probe``: this host is the one that looks whether
    Exchange is back. ``settings_version``: the Application Settings that rule.
    """

    sync: bool = True
    subscribe: bool = True
    standing: Standing | None = None
    answered_at: datetime | None = None
    probe: bool = True
    settings_version: int = 0


@dataclass(frozen=True, slots=True)
class HostReport:
    """What a host says of itself. A new ``incarnation`` means its memory, and the notices in it, were lost.

    ``concurrency``: requests it would have under way at once at present. ``outcomes``: EWS requests since it started,
    by ``ok`` or the failure's code. ``settings_version``: the Application Settings it works by.
    """

    incarnation: str
    in_progress: tuple[OperatorId, ...] = ()
    active: int = 0
    standing: Standing | None = None
    answered_at: datetime | None = None
    concurrency: int = 0
    requests: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    settings_version: int = 0
