"""Answers to "how is it going": the figures of ``status`` and ``readyz``, and what is due."""

from dataclasses import dataclass, field
from datetime import datetime

from engine.model import OperatorId


@dataclass(frozen=True, slots=True)
class OperatorCounts:
    """Operators by where they stand. ``total`` = ``enabled`` + ``disabled``; enabled = synced + syncing + failing.

    Synced: every folder has drained and hydrated at least once, nothing is pending, and the last pass succeeded.
    Failing: the last pass did not succeed. Syncing: the rest of the enabled.
    """

    total: int = 0
    enabled: int = 0
    synced: int = 0
    syncing: int = 0
    failing: int = 0
    disabled: int = 0


@dataclass(frozen=True, slots=True)
class SubscriptionCounts:
    """Push subscriptions: how many live, and how many there should be (one an enabled operator)."""

    active: int = 0
    wanted: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """One cause and whom it touches: what ``status`` shows below the figures."""

    code: str
    cause: str
    remedy: str
    operators: int
    example: OperatorId
    message: str
    since: datetime | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """``GET /api/v1/status``. ``emails`` counts current rows, ``pending`` items listed and not fetched yet."""

    operators: OperatorCounts = field(default_factory=OperatorCounts)
    emails: int = 0
    pending: int = 0
    quarantined: int = 0
    subscriptions: SubscriptionCounts = field(default_factory=SubscriptionCounts)
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Readiness:
    """``GET /readyz``: ready when the store, the coordinator and at least one host answer."""

    store: bool
    coordinator: bool
    hosts: int

    @property
    def ready(self) -> bool:
        """Whether work can be done."""
        return self.store and self.coordinator and self.hosts > 0


@dataclass(frozen=True, slots=True)
class DueOperator:
    """An operator for the coordinator to dispatch: to sync, to subscribe, or both."""

    operator_id: OperatorId
    sync: bool
    subscribe: bool
