"""The CRM's records."""

from typing import Protocol

from engine.crm.change import CrmChange, CrmOutcome


class CrmStore(Protocol):
    """What it takes to keep CRM records. They are listed as ``View.CRM_RECORDS``."""

    async def put_crm(self, change: CrmChange) -> CrmOutcome:
        """Insert, change and delete records of one kind, in one transaction.

        What landed already and may concern them is associated anew in the background (``AssociationStore``).
        """
        ...
