"""What addresses lead to, remembered: so that a landing looks up only what may be there and is not known yet."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping

import duckdb

from engine.associations.model import RuleSet
from engine.associations.outcome import NOTHING, Outcome, outcome_of
from engine.crm.keys import address_key, domain_key, domain_of
from engine.store.crm.lookup import all_keys, look_up

_REMEMBERED = 50_000


class Known:
    """``rules``: by which outcomes are made. Belongs to the writer's thread.

    All keys of the CRM are held in memory, sorted, so that what is not among them costs no statement.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._keys: array[int] | None = None
        self._outcomes: dict[str, Outcome] = {}

    @property
    def rules(self) -> RuleSet:
        """The rules outcomes are made by."""
        return self._rules

    def follow(self, rules: RuleSet) -> None:
        """Make outcomes by other rules from now on."""
        self._rules = rules
        self._outcomes.clear()

    def forget(self) -> None:
        """The CRM's records are others now, or may be."""
        self._keys = None
        self._outcomes.clear()

    def knows(self, connection: duckdb.DuckDBPyConnection, address: str) -> bool:
        """Whether an address, or its domain where domains count, is that of a record."""
        keys = self._all_keys(connection)
        if _holds(keys, address_key(address)):
            return True
        domain = domain_of(address)
        counts = domain and domain not in self._rules.own_domains and domain not in self._rules.free_mail
        return bool(counts) and _holds(keys, domain_key(domain))

    def outcomes(
        self, connection: duckdb.DuckDBPyConnection, addresses: Mapping[str, tuple[int, int]]
    ) -> dict[str, Outcome]:
        """Of those addresses that lead anywhere; given with the keys of each and of its domain."""
        keys = self._all_keys(connection)
        if not keys:
            return {}
        wanted = {
            one: pair
            for one, pair in addresses.items()
            if one in self._outcomes or any(_holds(keys, key) for key in pair)
        }
        fresh = {one: pair for one, pair in wanted.items() if one not in self._outcomes}
        if fresh:
            found = look_up(
                connection, _distinct(p[0] for p in fresh.values()), _distinct(p[1] for p in fresh.values())
            )
            if len(self._outcomes) + len(fresh) > _REMEMBERED:
                self._outcomes.clear()
                return self._all(connection, wanted)
            self._outcomes |= {one: outcome_of(one, found, self._rules) for one in fresh}
        return {one: outcome for one in wanted if (outcome := self._outcomes[one]) != NOTHING}

    def _all_keys(self, connection: duckdb.DuckDBPyConnection) -> "array[int]":
        if self._keys is None:
            self._keys = all_keys(connection)
        return self._keys

    def _all(self, connection: duckdb.DuckDBPyConnection, wanted: Mapping[str, tuple[int, int]]) -> dict[str, Outcome]:
        found = look_up(connection, _distinct(p[0] for p in wanted.values()), _distinct(p[1] for p in wanted.values()))
        outcomes = {one: outcome_of(one, found, self._rules) for one in wanted}
        if len(outcomes) <= _REMEMBERED:
            self._outcomes = outcomes
        return {one: outcome for one, outcome in outcomes.items() if outcome != NOTHING}


def _holds(keys: "array[int]", key: int) -> bool:
    place = bisect_left(keys, key)
    return place < len(keys) and keys[place] == key


def _distinct(keys: Iterable[int]) -> set[int]:
    return set(keys)
