"""The audit trail: what is shown of an entry."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.shared import Moment, Shown
from engine.access.audit import Action, AuditOutcome
from engine.access.roles import Role


class AuditRow(Shown):
    """One thing that was done, or was refused."""

    entry_id: str
    at: Moment
    action: Action
    outcome: AuditOutcome
    principal: Annotated[str, Field(description="The token's name; empty where nobody was let in.")]
    role: Role | None
    token_id: str
    address: Annotated[str, Field(description="The client's.")]
    target: Annotated[str, Field(description="What it was done to.")]
    before: Annotated[dict[str, Any], Field(description="The values that changed, as they were.")]
    after: Annotated[dict[str, Any], Field(description="The same as they became, or figures.")]
