"""Where tokens and the audit trail are kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from engine.access.audit import AuditEntry
from engine.access.tokens import TokenRecord


class AccessStore(Protocol):
    """What access needs of the store: who may ask, and who did what."""

    async def tokens(self) -> list[TokenRecord]:
        """Every token there has been, revoked ones too, the newest first."""
        ...

    async def add_token(self, record: TokenRecord) -> None:
        """Keep a new token.

        Raises:
            TokenRefused: another token in use has the name, or any the id.
        """
        ...

    async def revoke_token(self, token_id: str, now: datetime) -> TokenRecord:
        """Let a token be valid no more; one revoked before keeps its time.

        Raises:
            UnknownToken: there is none with this id.
        """
        ...

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        """Write down when tokens, by id, were last used; unknown ids are left out."""
        ...

    async def write_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the audit trail, each once however often it is given."""
        ...
