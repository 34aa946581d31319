"""What an address leads to, kind by kind and rule by rule: the table of truth of associations."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from engine.associations.decide import Decision, Owner, decide
from engine.associations.found import AddressRow, DomainRow, Found, Opportunity
from engine.associations.model import Rule, RuleSet
from engine.associations.outcome import outcome_of
from engine.crm.keys import address_key, domain_key
from engine.crm.model import CrmRecord, RecordKind

CONTACT, LEAD, ACCOUNT, ORGANIZATION, OPPORTUNITY = RecordKind
OWNER = Owner("op1", "Op.One@us.example")
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
RULES = RuleSet(own_domains=frozenset({"us.example"}), free_mail=frozenset({"gmail.com"}))


def crm(*records: CrmRecord) -> Found:
    """What a CRM of these records has."""
    addresses: dict[int, list[AddressRow]] = {}
    domains: dict[int, list[DomainRow]] = {}
    for one in records:
        for address in one.addresses:
            row = AddressRow(one.kind, one.record_id, address, one.account_id)
            addresses.setdefault(address_key(address), []).append(row)
        for domain in one.domains:
            domains.setdefault(domain_key(domain), []).append(DomainRow(one.kind, one.record_id))
    companies = {one.record_id: one.kind for one in records if one.kind is ORGANIZATION}
    companies |= {one.record_id: one.kind for one in records if one.kind is ACCOUNT}
    opportunities = [
        Opportunity(one.record_id, one.owner, one.is_open, one.active_at, one.account_id, one.contact_ids)
        for one in records
        if one.kind is OPPORTUNITY
    ]
    return Found(addresses, domains, companies, opportunities)


def answer(found: Found, *addresses: str, rules: RuleSet = RULES) -> Decision:
    return decide([(one, outcome_of(one, found, rules)) for one in addresses], OWNER, rules)


def said(decision: Decision) -> set[str]:
    """``contact c1 exact_address``, and ``contact? c1,c2 exact_address`` for what is left open."""
    made = {f"{one.kind} {one.record_id} {one.rule}" for one in decision.associations}
    return made | {f"{one.kind}? {','.join(one.candidates)} {one.rule}" for one in decision.ambiguities}


BEA = CrmRecord(CONTACT, "c1", addresses=("Bea@Acme.example",), account_id="a1")
TWIN = CrmRecord(CONTACT, "c2", addresses=("bea@acme.example",))
LEA = CrmRecord(LEAD, "l1", addresses=("bea@acme.example",))
ACME = CrmRecord(ACCOUNT, "a1", addresses=("info@acme.example",), domains=("acme.example",))
RIVAL = CrmRecord(ACCOUNT, "a2", domains=("acme.example",))
ORG = CrmRecord(ORGANIZATION, "g1", domains=("acme.example",))
DEAL = CrmRecord(OPPORTUNITY, "o1", contact_ids=("c1",), owner="somebody")
LOST = CrmRecord(OPPORTUNITY, "o2", contact_ids=("c1",), is_open=False)
MINE = CrmRecord(OPPORTUNITY, "o3", contact_ids=("c1",), owner="OP1")
OLDER = CrmRecord(OPPORTUNITY, "o4", account_id="a1", owner="op.one@US.example", active_at=MARCH)
NEWER = CrmRecord(OPPORTUNITY, "o5", account_id="a1", owner="op1", active_at=APRIL)
OTHERS = CrmRecord(OPPORTUNITY, "o6", account_id="a1", owner="op2", active_at=APRIL)


@dataclass(frozen=True)
class Case:
    address: str
    records: tuple[CrmRecord, ...]
    expected: set[str]


CASES = {
    "letter for letter": Case("Bea@Acme.example", (BEA,), {"contact c1 exact_address"}),
    "what stands around it does not count": Case(" smtp:<Bea@Acme.example> ", (BEA,), {"contact c1 exact_address"}),
    "letter case is folded": Case("BEA@acme.EXAMPLE", (BEA,), {"contact c1 folded_address"}),
    "a tag of the email's is folded": Case("bea+news@acme.example", (TWIN,), {"contact c2 folded_address"}),
    "a tag of the record's is folded": Case(
        "bea@acme.example", (replace(TWIN, addresses=("bea+crm@acme.example",)),), {"contact c2 folded_address"}
    ),
    "the exact one goes before the folded": Case("bea@acme.example", (BEA, TWIN), {"contact c2 exact_address"}),
    "two of a kind are left open": Case("BEA@ACME.example", (BEA, TWIN), {"contact? c1,c2 folded_address"}),
    "two kinds are both right": Case(
        "bea@acme.example", (TWIN, LEA), {"contact c2 exact_address", "lead l1 exact_address"}
    ),
    "open for one kind, clear for another": Case(
        "BEA@acme.example", (BEA, TWIN, LEA), {"contact? c1,c2 folded_address", "lead l1 folded_address"}
    ),
    "another address": Case("bob@elsewhere.example", (BEA, LEA, ACME), set()),
    "no address": Case("bea", (BEA,), set()),
    "an account's own address": Case("info@acme.example", (ACME,), {"account a1 exact_address"}),
    "an account's domain": Case("bob@Acme.example", (ACME,), {"account a1 domain"}),
    "an organization's domain": Case("bob@acme.example", (ORG,), {"organization g1 domain"}),
    "account and organization": Case("bob@acme.example", (ACME, ORG), {"account a1 domain", "organization g1 domain"}),
    "two accounts of one domain": Case("bob@acme.example", (ACME, RIVAL), {"account? a1,a2 domain"}),
    "the address goes before the domain": Case("info@acme.example", (ACME, RIVAL), {"account a1 exact_address"}),
    "another domain below it": Case("bob@mail.acme.example", (ACME,), set()),
    "a free-mail domain": Case("bob@gmail.com", (replace(ACME, domains=("gmail.com",)),), set()),
    "an own domain": Case("bob@us.example", (replace(ACME, domains=("us.example",)),), set()),
    "an address of an own domain counts": Case(
        "bob@us.example", (replace(BEA, addresses=("bob@us.example",), account_id=""),), {"contact c1 exact_address"}
    ),
    "a contact's account": Case(
        "x@far.example",
        (replace(BEA, addresses=("x@far.example",)), ACME),
        {"contact c1 exact_address", "account a1 parent_account"},
    ),
    "account and domain agree: the surer rule": Case(
        "Bea@Acme.example", (BEA, ACME), {"contact c1 exact_address", "account a1 parent_account"}
    ),
    "a contact's organization, where no account has the id": Case(
        "Bea@Acme.example",
        (replace(BEA, account_id="g1"), ORG),
        {"contact c1 exact_address", "organization g1 parent_account"},
    ),
    "a parent nobody knows": Case("Bea@Acme.example", (BEA,), {"contact c1 exact_address"}),
    "an opportunity of the contact": Case(
        "Bea@Acme.example", (BEA, DEAL), {"contact c1 exact_address", "opportunity o1 opportunity_contact"}
    ),
    "a closed one, where there is no open one": Case(
        "Bea@Acme.example", (BEA, LOST), {"contact c1 exact_address", "opportunity o2 opportunity_contact"}
    ),
    "the open one goes before the closed": Case(
        "Bea@Acme.example", (BEA, LOST, DEAL), {"contact c1 exact_address", "opportunity o1 opportunity_contact"}
    ),
    "of several, the operator's own": Case(
        "Bea@Acme.example", (BEA, DEAL, MINE), {"contact c1 exact_address", "opportunity o3 opportunity_contact"}
    ),
    "several, and none the operator's": Case(
        "Bea@Acme.example",
        (BEA, DEAL, replace(DEAL, record_id="o9")),
        {"contact c1 exact_address", "opportunity? o1,o9 opportunity_contact"},
    ),
    "the account's most recently active one that the operator owns": Case(
        "bob@acme.example",
        (ACME, OLDER, NEWER, OTHERS),
        {"account a1 domain", "opportunity o5 opportunity_account"},
    ),
    "closed ones of the account do not count": Case(
        "bob@acme.example",
        (ACME, OLDER, replace(NEWER, is_open=False)),
        {"account a1 domain", "opportunity o4 opportunity_account"},
    ),
    "those of others do not count": Case("bob@acme.example", (ACME, OTHERS), {"account a1 domain"}),
    "as recently active as another": Case(
        "bob@acme.example",
        (ACME, NEWER, replace(NEWER, record_id="o7")),
        {"account a1 domain", "opportunity? o5,o7 opportunity_account"},
    ),
    "the contact's goes before the account's": Case(
        "Bea@Acme.example",
        (BEA, ACME, DEAL, NEWER),
        {"contact c1 exact_address", "account a1 parent_account", "opportunity o1 opportunity_contact"},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_an_address_leads_to(case: Case) -> None:
    assert said(answer(crm(*case.records), case.address)) == case.expected


@pytest.mark.parametrize(
    ("off", "expected"),
    [
        (Rule.EXACT_ADDRESS, {"contact c1 folded_address", "account a1 parent_account"}),
        (Rule.FOLDED_ADDRESS, {"contact c1 exact_address", "account a1 parent_account"}),
        (Rule.PARENT_ACCOUNT, {"contact c1 exact_address", "account a1 domain"}),
        (Rule.DOMAIN, {"contact c1 exact_address", "account a1 parent_account"}),
    ],
)
def test_a_rule_that_is_off(off: Rule, expected: set[str]) -> None:
    rules = replace(RULES, rules=RULES.rules - {off})
    assert said(answer(crm(BEA, ACME), "Bea@Acme.example", rules=rules)) == expected


def test_without_both_rules_of_addresses_the_domain_is_left() -> None:
    rules = replace(RULES, rules=RULES.rules - {Rule.EXACT_ADDRESS, Rule.FOLDED_ADDRESS})
    assert said(answer(crm(BEA, ACME), "Bea@Acme.example", rules=rules)) == {"account a1 domain"}


@pytest.mark.parametrize("off", [Rule.OPPORTUNITY_CONTACT, Rule.OPPORTUNITY_ACCOUNT])
def test_a_rule_of_opportunities_that_is_off(off: Rule) -> None:
    rules = replace(RULES, rules=RULES.rules - {off})
    found = {one for one in said(answer(crm(BEA, ACME, DEAL, NEWER), "Bea@Acme.example", rules=rules)) if "opp" in one}
    other = Rule.OPPORTUNITY_ACCOUNT if off is Rule.OPPORTUNITY_CONTACT else Rule.OPPORTUNITY_CONTACT
    assert found == {f"opportunity {'o5' if other is Rule.OPPORTUNITY_ACCOUNT else 'o1'} {other}"}


@pytest.mark.parametrize("kind", RecordKind)
def test_only_the_kinds_that_are_wanted_though_others_lead_on(kind: RecordKind) -> None:
    everything = crm(BEA, LEA, ACME, ORG, DEAL)
    whole = said(answer(everything, "Bea@Acme.example"))
    assert len(whole) == 5
    alone = said(answer(everything, "Bea@Acme.example", rules=replace(RULES, kinds=frozenset({kind}))))
    assert alone == {one for one in whole if one.startswith(kind)}


def test_of_several_addresses_each_counts_and_a_record_comes_once() -> None:
    decision = answer(crm(BEA, ACME, LEA), "bob@acme.example", "Bea@Acme.example")
    assert said(decision) == {"contact c1 exact_address", "account a1 parent_account", "lead l1 folded_address"}
    assert {one.record_id: one.address for one in decision.associations}["a1"] == "Bea@Acme.example"
