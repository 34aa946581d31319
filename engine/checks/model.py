"""What a check finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.model import OperatorId


class Step(StrEnum):
    """The steps, in their order; each wants the ones before it."""

    PROFILE = "profile"
    REACHABLE = "reachable"
    AUTHENTICATION = "authentication"
    IMPERSONATION = "impersonation"
    ADDRESS = "address"
    FOLDERS = "folders"
    LISTING = "listing"
    SUBSCRIPTION = "subscription"
    ROUND_TRIP = "round_trip"


class Result(StrEnum):
    """How a step went. ``warned``: it works, and somebody should know of something all the same."""

    OK = "ok"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step. ``code``, ``cause`` and ``remedy`` are those of ``engine.failures``, where it failed."""

    name: Step
    result: Result
    message: str
    code: str | None = None
    cause: str | None = None
    remedy: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every step of one operator's check. ``verdict``: failed if a step did, else warned if one did, else ok."""

    operator_id: OperatorId
    email: str
    email_sync: bool
    steps: tuple[CheckStep, ...]
    verdict: Result


def verdict_of(steps: Iterable[CheckStep]) -> Result:
    """What the steps come to. One that was skipped for good reasons does not count."""
    results = {step.result for step in steps}
    return next((one for one in (Result.FAILED, Result.WARNED) if one in results), Result.OK)
