"""Checks: whom to check, and what was found."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from api.schemas.shared import Shown
from engine.checks.model import Result, Step

MOST = 100
"""Operators a request may name."""


class CheckPost(BaseModel):
    """Whom to check. ``operators``: ids; without it, those that fail. ``round_trip``: wait for Exchange's call back."""

    model_config = ConfigDict(extra="forbid")

    operators: (
        Annotated[list[Annotated[StrictStr, Field(min_length=1, max_length=255)]], Field(min_length=1, max_length=MOST)]
        | None
    ) = None
    round_trip: StrictBool = True


class StepShown(Shown):
    """One step. ``code``, ``cause`` and ``remedy`` are told where it failed."""

    name: Step
    result: Result
    message: str
    code: str | None
    cause: str | None
    remedy: str | None
    seconds: Annotated[float, Field(ge=0)]


class CheckShown(Shown):
    """Every step of one operator's check."""

    operator_id: str
    email: str
    email_sync: bool
    steps: list[StepShown]
    verdict: Annotated[Result, Field(description="`failed` if a step did, else `warned` if one did, else `ok`.")]


class ChecksShown(Shown):
    """The checks of a request."""

    items: list[CheckShown]
    more: Annotated[bool, Field(description="Whether more operators fail than were checked.")]
