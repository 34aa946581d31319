"""Associating what has landed already."""

from typing import Protocol

from engine.associations.model import AssociationProgress


class AssociationStore(Protocol):
    """The queue of landed emails whose associations are to be found anew; it is in the store, and survives."""

    async def associate_some(self, limit: int) -> AssociationProgress:
        """Associate at most so many emails anew, in one transaction."""
        ...

    async def associations_left(self) -> int:
        """How many are left; at least 1 while a change of CRM records has not been looked into yet."""
        ...

    async def associate_all(self) -> int:
        """Queue every email; how many there are."""
        ...
