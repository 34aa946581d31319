"""Which emails a policy keeps out, and for which reason: a table."""

from typing import Any

import pytest

from engine.policy.judging import Premises, judge, matches
from engine.policy.model import Policy, Reason
from engine.policy.stated import loosened, policy_of, united
from tests.fakes.store_emails import emails

OWN = "ann@us.example"
PREMISES = Premises(OWN, frozenset({"us.example"}), lambda address: address.casefold().endswith("known.example"))


def reason(policy: Policy, folder: str = "inbox", **row: Any) -> Reason | None:
    for name in ("to_recipients", "cc_recipients", "bcc_recipients"):
        if name in row:
            row[name] = [{"name": "", "address": one} for one in row[name]]
    batch = emails({"item_id": "other", "sender_address": "x@other.example"}, {"item_id": "1", **row})
    return judge(batch, folder, policy, PREMISES).get(1)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Private", True), ("Confidential", True), ("private", True), (" CONFIDENTIAL ", True),
        ("Company-Confidential", True), ("Personal", False), ("Normal", False), (None, False), ("", False),
    ],
)  # fmt: skip
def test_sensitivity(said: str | None, kept: bool) -> None:
    assert reason(Policy(skip_private=True), sensitivity=said) == (Reason.PRIVATE if kept else None)
    assert reason(Policy(), sensitivity=said) is None


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("bea@bad.example", True), ("BEA@Bad.Example", True), ("bea@mail.bad.example", True),
        ("bea@notbad.example", False), ("spy@fine.example", True), ("Spy+x@fine.example", True),
        ("SMTP:spy@fine.example", True), ("other@fine.example", False), ("no address", False), (None, False),
        ("x@bücher.example", True), ("x@xn--bcher-kva.example", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["sender_address", "to_recipients", "cc_recipients", "bcc_recipients"])
def test_denied_and_allowed(address: str | None, kept: bool, place: str) -> None:
    entries = frozenset({"bad.example", "spy@fine.example", "xn--bcher-kva.example"})
    row: dict[str, Any] = {place: address if place == "sender_address" else [address]}
    assert reason(Policy(deny=entries), **row) == (Reason.DENIED if kept else None)
    assert reason(Policy(allow=(entries,)), **row) == (None if kept else Reason.NOT_ALLOWED)


def test_the_own_address_allows_nothing_and_may_be_denied() -> None:
    ours = frozenset({"us.example"})
    assert reason(Policy(allow=(ours,)), sender_address="a@x.example", to_recipients=[OWN]) == Reason.NOT_ALLOWED
    assert reason(Policy(allow=(ours,)), sender_address="bob@us.example", to_recipients=[OWN]) is None
    assert reason(Policy(deny=frozenset({OWN})), sender_address="a@x.example", to_recipients=[OWN]) == Reason.DENIED


@pytest.mark.parametrize(
    ("sender", "to", "kept"),
    [
        ("bob@us.example", [OWN], True), ("bob@eu.us.example", [OWN], True), (OWN, [OWN], True),
        ("bob@us.example", [OWN, "c@x.example"], False), ("c@x.example", [OWN], False),
        ("/O=US/OU=X/CN=BOB", [OWN], True), ("/O=US/OU=X/CN=BOB", [], True), (None, [], False),
        ("bob@notus.example", [OWN], False),
    ],
)  # fmt: skip
def test_internal(sender: str | None, to: list[str], kept: bool) -> None:
    found = reason(Policy(skip_internal=True), sender_address=sender, to_recipients=to)
    assert found == (Reason.INTERNAL if kept else None)


def test_unknown() -> None:
    policy = Policy(only_known=True)
    assert reason(policy, sender_address="a@known.example", to_recipients=[OWN]) is None
    assert reason(policy, sender_address=OWN, cc_recipients=["a@known.example"]) is None
    assert reason(policy, sender_address="a@x.example", to_recipients=[OWN]) == Reason.UNKNOWN
    assert reason(policy, sender_address=OWN, to_recipients=[OWN]) == Reason.UNKNOWN


def test_the_first_reason_counts() -> None:
    everything = Policy(True, True, frozenset({"us.example"}), (frozenset({"z.example"}),), frozenset({"inbox"}), True)
    row: dict[str, Any] = {"sender_address": OWN, "to_recipients": ["bob@us.example"]}
    assert reason(everything, sensitivity="Private", **row) == Reason.PRIVATE
    assert reason(everything, **row) == Reason.FOLDER
    assert reason(everything, folder="INBOX", **row) == Reason.FOLDER
    assert reason(everything, folder="sentitems", **row) == Reason.DENIED


def test_an_operators_policy_only_adds() -> None:
    tenant = policy_of({"deny": ["a.example"], "allow": ["b.example"]}, skip_private=True)
    own = policy_of({"skip_private": False, "deny": ["c.example"], "allow": ["d.example"]}, skip_private=False)
    both = united(tenant, own)
    assert both == Policy(
        skip_private=True,
        deny=frozenset({"a.example", "c.example"}),
        allow=(frozenset({"b.example"}), frozenset({"d.example"})),
    )
    assert reason(both, sender_address="x@b.example") == Reason.NOT_ALLOWED
    assert reason(both, sender_address="x@b.example", to_recipients=["y@d.example"]) is None


def test_what_is_loosened() -> None:
    strict = policy_of({"deny": ["a.example"], "allow": ["b.example"], "skip_folders": ["Inbox"]}, skip_private=True)
    assert loosened(strict, strict) == frozenset()
    assert loosened(Policy(), strict) == frozenset()
    assert loosened(strict, Policy()) == {Reason.PRIVATE, Reason.DENIED, Reason.NOT_ALLOWED, Reason.FOLDER}


def test_matching_is_of_whole_labels() -> None:
    assert matches("a@b.c.example", {"c.example"})
    assert not matches("a@bc.example", {"c.example"})
