"""What addresses lead to, remembered: so that a landing looks up only what may be there and is not known yet."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping

import duckdb

from engine.associations.decide import Decision, Owner, decide
from engine.associations.found import Found
from engine.associations.model import RuleSet
from engine.associations.outcome import NOTHING, Outcome, outcome_of
from engine.crm.keys import address_key, domain_key, domain_of
from engine.store.crm.lookup import all_keys, look_up

_REMEMBERED = 50_000
_MISSES = 200_000
_ADDED = 200_000


class Known:
    """``rules``: by which outcomes are made. Belongs to one thread.

    All keys of the CRM are held in memory, sorted, so that what is not among them costs no statement.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._keys: array[int] | None = None
        self._added: set[int] = set()
        self._outcomes: dict[str, Outcome] = {}
        self._misses: set[str] = set()
        self._alone: dict[str, Decision] = {}

    @property
    def rules(self) -> RuleSet:
        """The rules outcomes are made by."""
        return self._rules

    def follow(self, rules: RuleSet) -> None:
        """Make outcomes by other rules from now on."""
        self._rules = rules
        self._forget_outcomes()

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read the keys, unless they are known."""
        if self._keys is None:
            self._keys, self._added = all_keys(connection), set()

    def forget(self) -> None:
        """The CRM's records are others now, or may be."""
        self._keys = None
        self._forget_outcomes()

    def add(self, keys: Iterable[int]) -> None:
        """There are more records now, with these keys, and none is gone."""
        self._added.update(keys)
        if len(self._added) > _ADDED:
            self._keys = None
        self._forget_outcomes()

    def knows(self, connection: duckdb.DuckDBPyConnection, address: str) -> bool:
        """Whether an address, or its domain where domains count, is that of a record."""
        self.load(connection)
        if self._holds(address_key(address)):
            return True
        domain = domain_of(address)
        counts = domain and domain not in self._rules.own_domains and domain not in self._rules.free_mail
        return bool(counts) and self._holds(domain_key(domain))

    def outcomes(
        self, connection: duckdb.DuckDBPyConnection, addresses: Mapping[str, tuple[int, int]]
    ) -> dict[str, Outcome]:
        """Of those addresses that lead anywhere; given with the keys of each and of its domain."""
        self.load(connection)
        if not self._keys and not self._added:
            return {}
        asked = {one: pair for one, pair in addresses.items() if one not in self._misses}
        fresh = {one: pair for one, pair in asked.items() if one not in self._outcomes}
        found = {one: pair for one, pair in fresh.items() if self._holds(pair[0]) or self._holds(pair[1])}
        if len(self._outcomes) + len(found) > _REMEMBERED or len(self._misses) > _MISSES:
            self._forget_outcomes()
            found = {one: pair for one, pair in asked.items() if self._holds(pair[0]) or self._holds(pair[1])}
        self._misses.update(fresh.keys() - found.keys())
        if found:
            there = self._look_up(connection, found)
            self._outcomes |= {one: outcome_of(one, there, self._rules) for one in found}
        return {one: outcome for one in asked if (outcome := self._outcomes.get(one, NOTHING)) != NOTHING}

    def decided(self, address: str, outcome: Outcome) -> Decision:
        """What an email adds up to of which this address alone counts, and whose mailbox it is in does not."""
        decision = self._alone.get(address)
        if decision is None:
            decision = self._alone[address] = decide([(address, outcome)], Owner("", ""), self._rules)
        return decision

    def _look_up(self, connection: duckdb.DuckDBPyConnection, wanted: Mapping[str, tuple[int, int]]) -> Found:
        """Of the keys that are there alone: each question that need not be asked saves a scan."""
        addresses, domains = ({pair[n] for pair in wanted.values() if self._holds(pair[n])} for n in (0, 1))
        return look_up(connection, addresses, domains, self._holds)

    def _holds(self, key: int) -> bool:
        keys = self._keys or ()
        place = bisect_left(keys, key)
        return (place < len(keys) and keys[place] == key) or key in self._added

    def _forget_outcomes(self) -> None:
        self._outcomes.clear()
        self._misses.clear()
        self._alone.clear()
