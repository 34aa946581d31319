"""The way back when Exchange has served nobody: one mailbox at a time looks, and all who failed of it are made due."""

from engine.ports import MailboxStore
from engine.sync.endpoint import Endpoint
from engine.sync.mailboxes import Mailboxes


class Recovery:
    """Looks after one host's circuit. ``tend`` is called every now and then, and is cheap where all is well."""

    def __init__(self, endpoint: Endpoint, mailboxes: Mailboxes, store: MailboxStore) -> None:
        self._endpoint = endpoint
        self._mailboxes = mailboxes
        self._store = store

    async def tend(self) -> None:
        """Send a probe out when its time has come; have everybody synchronised whose trouble is over.

        Raises:
            StoreError: not now; the next call tries again.
        """
        await self._probe()
        await self._make_due()

    async def _probe(self) -> None:
        while (operator_id := self._endpoint.next_to_probe()) is not None:
            if await self._mailboxes.wake(operator_id):
                return
            self._endpoint.drop(operator_id)

    async def _make_due(self) -> None:
        recovered = self._endpoint.recovered()
        if not recovered:
            return
        at_rest = self._mailboxes.go_on(recovered)
        if at_rest:
            await self._store.make_due(at_rest)
        self._endpoint.seen_to(recovered)
