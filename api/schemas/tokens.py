"""Tokens: what is shown of them."""

from typing import Annotated

from pydantic import Field

from api.schemas.shared import Moment, Shown
from engine.access.roles import Role


class TokenShown(Shown):
    """A token, without its secret."""

    token_id: str
    name: str
    role: Role
    groups: Annotated[list[str], Field(description="Access groups of jobs.")]
    created_at: Moment
    created_by: str
    expires_at: Annotated[Moment | None, Field(description="Null: never.")]
    revoked_at: Moment | None
    last_used_at: Annotated[Moment | None, Field(description="To the minute.")]


class TokenIssued(TokenShown):
    """A token that was just made."""

    token: Annotated[str, Field(description="The text to send as `Authorization: Bearer`. It is not shown again.")]
