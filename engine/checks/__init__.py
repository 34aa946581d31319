"""Proving that an operator's mailbox can be kept in step: one step after the other, each with its result and remedy.

    profile ─ reachable ─ authentication ─ impersonation ─ address ─ folders ─ listing ─ subscription ─ round trip

``model`` is what is answered, ``judge`` says what an error means for which step, ``examine`` asks, and ``calls`` knows
when Exchange has called back. Nothing is stored, and neither the mailbox's sync nor its subscription is touched.
"""
