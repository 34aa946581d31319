"""What one address leads to, whoever's mailbox the email is in. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.associations.found import AddressRow, Found, Opportunity
from engine.associations.model import Ambiguity, Association, Rule, RuleSet
from engine.crm.keys import address_key, domain_key, domain_of
from engine.crm.model import RecordKind
from engine.privacy.addresses import plain

_COMPANIES = (RecordKind.ACCOUNT, RecordKind.ORGANIZATION)
_PEOPLE = (RecordKind.CONTACT, RecordKind.LEAD)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Records an address leads to by rules that do not ask whose mailbox it is, of every kind, and what is left open.

    ``by_contact``: the opportunities of each contact it leads to; ``by_company``: those of each company.
    """

    associations: tuple[Association, ...] = ()
    ambiguities: tuple[Ambiguity, ...] = ()
    by_contact: tuple[tuple[Opportunity, ...], ...] = ()
    by_company: tuple[tuple[Opportunity, ...], ...] = ()

    @property
    def depends_on_owner(self) -> bool:
        """Whether it matters whose mailbox an email is in."""
        return bool(self.by_contact or self.by_company)


NOTHING = Outcome()


def outcome_of(address: str, found: Found, rules: RuleSet) -> Outcome:
    """What an address, as it is written in an email, leads to."""
    made: list[Association] = []
    open_questions: list[Ambiguity] = []
    contact: AddressRow | None = None
    for kind in (*_PEOPLE, *_COMPANIES):
        rule, rows = _by_address(address, kind, found, rules)
        if rule is None and kind in _COMPANIES:
            rule, rows = _by_domain(address, kind, found, rules)
        if rule is None:
            continue
        if len(rows) > 1:
            open_questions.append(Ambiguity(kind, rule, address, tuple(sorted(row.record_id for row in rows))))
            continue
        made.append(Association(kind, rows[0].record_id, rule, address))
        if kind is RecordKind.CONTACT:
            contact = rows[0]
    if contact is not None and contact.account_id and Rule.PARENT_ACCOUNT in rules.rules:
        parent = found.companies.get(contact.account_id)
        if parent is not None:
            made.append(Association(parent, contact.account_id, Rule.PARENT_ACCOUNT, address))
    companies = dict.fromkeys((one.kind, one.record_id) for one in made if one.kind in _COMPANIES)
    return Outcome(
        tuple(made),
        tuple(open_questions),
        tuple(filter(None, [_of_contact(contact.record_id, found)] if contact is not None else [])),
        tuple(filter(None, (_of_company(kind, record_id, found) for kind, record_id in companies))),
    )


def _by_address(
    address: str, kind: RecordKind, found: Found, rules: RuleSet
) -> tuple[Rule | None, Sequence[AddressRow]]:
    rows = [row for row in found.addresses.get(address_key(address), ()) if row.kind is kind]
    if Rule.EXACT_ADDRESS in rules.rules:
        written = plain(address)
        exact = [row for row in rows if plain(row.address) == written]
        if exact:
            return Rule.EXACT_ADDRESS, _each_once(exact)
    if Rule.FOLDED_ADDRESS in rules.rules and rows:
        return Rule.FOLDED_ADDRESS, _each_once(rows)
    return None, ()


def _by_domain(
    address: str, kind: RecordKind, found: Found, rules: RuleSet
) -> tuple[Rule | None, Sequence[AddressRow]]:
    domain = domain_of(address)
    if Rule.DOMAIN not in rules.rules or not domain or domain in rules.own_domains or domain in rules.free_mail:
        return None, ()
    rows = [
        AddressRow(kind, row.record_id, address)
        for row in found.domains.get(domain_key(domain), ())
        if row.kind is kind
    ]
    return (Rule.DOMAIN, _each_once(rows)) if rows else (None, ())


def _each_once(rows: Sequence[AddressRow]) -> list[AddressRow]:
    return list({row.record_id: row for row in rows}.values())


def _of_contact(contact_id: str, found: Found) -> tuple[Opportunity, ...]:
    return tuple(one for one in found.opportunities if contact_id in one.contact_ids)


def _of_company(kind: RecordKind, record_id: str, found: Found) -> tuple[Opportunity, ...]:
    if found.companies.get(record_id) is not kind:
        return ()
    return tuple(one for one in found.opportunities if one.account_id == record_id and one.is_open)
