"""What is asked of a mailbox, before a pass takes it up."""

from collections.abc import Sequence

from engine.sync.actions import SubscribeAsked, SyncAsked, Wish


def coalesced(wishes: Sequence[Wish]) -> list[Wish]:
    """One pass does for all that was asked before it began; subscribing first, since a drain has to follow it."""
    subscribe = [wish for wish in wishes if isinstance(wish, SubscribeAsked)]
    sync = [wish for wish in wishes if isinstance(wish, SyncAsked)]
    return [*subscribe[-1:], *([SyncAsked(urgent=any(wish.urgent for wish in sync))] if sync else [])]


def is_urgent(wish: Wish) -> bool:
    """Whether a notice of Exchange asks, and nothing else."""
    return isinstance(wish, SyncAsked) and wish.urgent
