"""Which host holds which mailbox."""

import subprocess
import sys
from collections import Counter

import pytest

from engine.model import OperatorId
from engine.placement import Placement, literal_host, place

OPERATORS = [OperatorId(f"operator{number:04}@example.com") for number in range(2000)]


def where(placement: Placement) -> dict[OperatorId, str]:
    return {one: placement.host_of(one) for one in OPERATORS}


def test_the_answer_is_the_same_in_every_process() -> None:
    placement = place(OPERATORS, 1, 4, 0)
    code = (
        "from engine.placement import Placement;"
        f"p = Placement({placement.hosts!r});"
        f"print(*(p.host_of(one) for one in {OPERATORS[:50]!r}))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert answer.stdout.split() == [placement.host_of(one) for one in OPERATORS[:50]]


def test_hosts_get_about_equal_shares() -> None:
    shares = Counter(where(place(OPERATORS, 2, 4, 0)).values())
    assert len(shares) == 8
    assert max(shares.values()) < 1.3 * len(OPERATORS) / 8
    assert min(shares.values()) > 0.7 * len(OPERATORS) / 8


def test_a_host_more_moves_only_what_it_gains() -> None:
    before, after = (where(Placement(tuple(f"host-{n}" for n in range(count)))) for count in (8, 9))
    moved = [one for one in OPERATORS if before[one] != after[one]]
    assert {after[one] for one in moved} == {"host-8"}
    assert len(moved) < 1.4 * len(OPERATORS) / 9


def test_the_order_of_hosts_does_not_matter() -> None:
    hosts = tuple(f"host-{n}" for n in range(8))
    assert where(Placement(hosts)) == where(Placement(hosts[::-1]))


@pytest.mark.parametrize(
    ("nodes", "hosts_per_node", "mailboxes_per_host", "hosts"),
    [(1, 2, 0, 2), (3, 2, 0, 6), (1, 2, 500, 4), (1, 2, 1999, 2), (1, 8, 500, 8), (1, 1, 3, 667)],
)
def test_how_many_hosts(nodes: int, hosts_per_node: int, mailboxes_per_host: int, hosts: int) -> None:
    assert len(place(OPERATORS, nodes, hosts_per_node, mailboxes_per_host).hosts) == hosts


def test_one_host_an_operator() -> None:
    placement = place(OPERATORS[:3], 1, 2, 1)
    assert placement.hosts == tuple(literal_host(one) for one in OPERATORS[:3])
    assert [placement.host_of(one) for one in OPERATORS[:3]] == list(placement.hosts)


def test_no_operator_yet() -> None:
    assert place([], 1, 2, 1).hosts == ()
    assert len(place([], 1, 2, 100).hosts) == 2
