"""Erasing people, and letting them in again."""

from typing import Protocol

from engine.privacy.erasure import ErasureRequest, LiftRequest, Receipt


class ErasureStore(Protocol):
    """What it takes to erase one person's mail. Receipts are listed as ``View.ERASURES``."""

    async def erase(self, request: ErasureRequest) -> Receipt:
        """Remove every email from or to an address, current or deleted, with what hangs on it, and keep it out.

        What lands later and names the address is left off, from this transaction on. Afterwards the file is written
        anew, so that none of it is left in there; the receipt says if that could not be done yet.

        Raises:
            ErasureRefused: the text is no address, or is an operator's own without ``including_operator``.
        """
        ...

    async def lift_erasure(self, request: LiftRequest) -> Receipt:
        """Keep the mail of an erasure's address out no longer.

        Raises:
            UnknownErasure: there is none of this id.
            ErasureRefused: it has been lifted already.
        """
        ...
