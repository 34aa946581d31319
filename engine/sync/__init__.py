"""The mailbox's sync: what to do next is decided by pure functions, done by a short runner.

``machine.step(state, event, moment) -> (state, action)`` is the one door. ``runner`` runs it against a MailSource and
a store, one action at a time; ``mailboxes`` keeps many of them in one process.
"""
