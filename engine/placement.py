"""Which host holds which mailbox. Pure, and the same answer in every process.

Rendezvous hashing: an operator goes to the host with the highest score for it, so that adding or removing a host moves
only the mailboxes that host gains or loses.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.model import OperatorId


@dataclass(frozen=True)
class Placement:
    """Hosts by name. ``literal``: one host an operator, named after it (``cluster.mailboxes_per_host = 1``)."""

    hosts: tuple[str, ...]
    literal: bool = False
    _known: dict[OperatorId, str] = field(default_factory=dict, repr=False, compare=False)

    def host_of(self, operator_id: OperatorId) -> str:
        """The name of the host that holds this operator's mailbox."""
        if self.literal:
            return literal_host(operator_id)
        if operator_id not in self._known:
            self._known[operator_id] = max(self.hosts, key=lambda host: _score(host, operator_id))
        return self._known[operator_id]


def place(operator_ids: Sequence[OperatorId], nodes: int, hosts_per_node: int, mailboxes_per_host: int) -> Placement:
    """The hosts an installation starts with.

    ``mailboxes_per_host`` 0: as many as come; 1: a host for each operator; else enough hosts that each holds about
    that many.
    """
    if mailboxes_per_host == 1:
        return Placement(tuple(literal_host(operator_id) for operator_id in operator_ids), literal=True)
    wanted = nodes * hosts_per_node
    if mailboxes_per_host:
        wanted = max(wanted, -(-len(operator_ids) // mailboxes_per_host))
    return Placement(tuple(f"host-{number}" for number in range(wanted)))


def literal_host(operator_id: OperatorId) -> str:
    """The name of the host that belongs to one operator."""
    return f"host-of-{operator_id}"


def _score(host: str, operator_id: OperatorId) -> bytes:
    return hashlib.blake2b(f"{host}\0{operator_id}".encode(), digest_size=8).digest()
