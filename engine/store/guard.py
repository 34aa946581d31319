"""What a query may be made of, decided on DuckDB's own tree of it, before it is bound to anything.

The tree is what ``json_serialize_sql`` gives, so that comments, quotes, escapes and letter case are none of our
business. Everything in it is known and allowed, or refused:

- relations are the documented views, and names the query gives itself;
- functions are those of ``engine.store.functions``, by name: we make none of such names in any schema;
- the kinds of nodes are those of a SELECT: no writing inside a WITH, no SHOW of everything;
- it is small enough that planning it, which cannot be interrupted everywhere, takes no time.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NoReturn

from engine.errors import QueryRefused
from engine.store.functions import FUNCTIONS, TABLE_FUNCTIONS

MOST_NODES = 5_000
"""Parts of a query, constants aside."""
MOST_RELATIONS = 50
"""Tables and SELECTs without one, counted as often as they are read, WITH included."""
MOST_LAMBDAS = 5
"""Lambdas inside each other."""

Tree = Mapping[str, Any]

_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_RELATIONS = frozenset(
    {"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION"}
)
_MODIFIERS = frozenset({"DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER"})
_ORDERS = frozenset({"ASCENDING", "DESCENDING", "ORDER_DEFAULT"})
_KNOWN = _NODES | _RELATIONS | _MODIFIERS | _ORDERS
_EXPRESSIONS = frozenset(
    {
        "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "DEFAULT",
        "FUNCTION", "LAMBDA", "LAMBDA_REF", "OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY",
        "TYPE", "WINDOW",
    }
)  # fmt: skip
_HOME = frozenset({(), ("main",), ("mailroom", "main"), ("mailroom",)})
_WIDE = re.compile(r"\d{4}|\*")


class Guard:
    """Checks trees of queries over ``views``; ``taken`` are names of DuckDB's own that a query must not give."""

    def __init__(self, views: Collection[str], taken: Collection[str] = ()) -> None:
        self._views, self._taken = tuple(views), frozenset(name.lower() for name in taken)

    def check(self, node: Tree) -> None:
        """Let a query pass.

        Raises:
            QueryRefused: it is made of something else; the message says what, and what there is instead.
        """
        _Check(self._views, self._taken).run(node)


class _Check:
    def __init__(self, views: tuple[str, ...], taken: frozenset[str]) -> None:
        self._views, self._taken = views, taken
        self._queries: dict[str, list[Tree]] = {}

    def run(self, node: Tree) -> None:
        self._queries = self._named(node)
        count = 0
        for part, lambdas in _parts(node):
            count += part.get("class", "CONSTANT") != "CONSTANT"
            if count > MOST_NODES:
                raise QueryRefused(f"The query has more than {MOST_NODES:,} parts. Say it shorter.")
            if lambdas > MOST_LAMBDAS:
                raise QueryRefused(f"There are more than {MOST_LAMBDAS} lambdas inside each other.")
            self._check_part(part)
        self._check_weight(node)

    def _named(self, node: Tree) -> dict[str, list[Tree]]:
        """Queries of WITH, by the names they are given, in lower case."""
        found: dict[str, list[Tree]] = {}
        for part, _ in _parts(node):
            for entry in (part.get("cte_map") or {}).get("map", ()):
                name = str(entry["key"]).lower()
                if name in self._taken:
                    raise QueryRefused(f"WITH {name}: this is a name of DuckDB's. Choose another.")
                found.setdefault(name, []).append(entry["value"])
        return found

    def _check_part(self, part: Tree) -> None:
        kind, expression = part.get("type"), part.get("class")
        if expression is None:
            if isinstance(kind, str) and kind not in _KNOWN:
                raise QueryRefused(f"{_words(kind)} cannot be part of a query here.")
            self._check_relation(kind, part)
        elif expression not in _EXPRESSIONS:
            raise QueryRefused(f"{_words(str(expression))} cannot be part of a query here.")
        elif expression in ("FUNCTION", "WINDOW"):
            _check_function(part, FUNCTIONS)
        elif expression == "TYPE":
            _check_type(part)

    def _check_relation(self, kind: object, part: Tree) -> None:
        if kind == "BASE_TABLE":
            self._check_table(part)
        elif kind == "SHOW_REF" and part.get("query") is None:
            raise QueryRefused(f"DESCRIBE one of the views instead: {', '.join(self._views)}.")
        elif kind == "TABLE_FUNCTION":
            _check_function(part["function"], TABLE_FUNCTIONS)

    def _check_table(self, part: Tree) -> None:
        *where, name = (str(step).lower() for step in part["qualified_name"]["path"])
        if part.get("at_clause") is not None:
            raise QueryRefused("AT is not possible here: views show what is current.")
        if not where and name in self._queries:
            return
        if tuple(where) in _HOME and name in self._views:
            return
        self._refuse_table(".".join([*where, name]), name)

    def _refuse_table(self, written: str, name: str) -> NoReturn:
        meant = get_close_matches(name, [*self._views, *self._queries], 1)
        hint = f"Did you mean {meant[0]}? " if meant else ""
        raise QueryRefused(f"There is no view {written[:80]!r}. {hint}The views are {', '.join(self._views)}.")

    def _check_weight(self, node: Tree) -> None:
        weights: dict[str, int] = {}

        def weigh(tree: Tree, path: tuple[str, ...]) -> int:
            total = 0
            for part, _ in _parts(tree, into_queries=False):
                kind = None if "class" in part else part.get("type")
                if kind in ("BASE_TABLE", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY"):
                    total += 1
                    total += weigh_name(str(part.get("table_name", "")).lower(), path) if kind == "BASE_TABLE" else 0
                if total > MOST_RELATIONS:
                    break
            return total

        def weigh_name(name: str, path: tuple[str, ...]) -> int:
            if name in path or len(path) > MOST_RELATIONS:  # recursion, or a chain that is too long anyway
                return 0 if name in path else MOST_RELATIONS
            if name not in weights:
                weights[name] = sum(weigh(tree, (*path, name)) for tree in self._queries.get(name, ()))
            return weights[name]

        if weigh(node, ()) + sum(weigh_name(name, ()) for name in self._queries) > MOST_RELATIONS:
            raise QueryRefused(f"The query reads tables more than {MOST_RELATIONS} times. Ask in several queries.")


def _parts(tree: Tree, *, into_queries: bool = True) -> Iterator[tuple[Tree, int]]:
    """Every object of a tree, with the lambdas it is inside of; without recursion, since trees can be deep."""
    waiting: list[tuple[Any, int]] = [(tree, 0)]
    while waiting:
        one, lambdas = waiting.pop()
        if isinstance(one, Mapping):
            lambdas += one.get("class") == "LAMBDA"
            yield one, lambdas
            inside = one
            if one.get("type") == "TABLE_FUNCTION":  # the function is no expression; its arguments are
                inside = {**one, "function": one["function"]["arguments"]}
            waiting += [(value, lambdas) for key, value in inside.items() if into_queries or key != "cte_map"]
        elif isinstance(one, list):
            waiting += [(value, lambdas) for value in one]


def _check_function(part: Tree, allowed: Collection[str]) -> None:
    name = str(part["qualified_name"]["path"][-1]).lower()  # before it: a schema, or the column of ``subject.lower()``
    if name not in allowed:
        meant = get_close_matches(name, [one for one in allowed if one.isidentifier()], 1, cutoff=0.8)
        hint = f" Did you mean {meant[0]}?" if meant else ""
        raise QueryRefused(f"The function {name[:80]!r} is not available here.{hint}")
    if name in ("format", "printf"):
        _check_format(name, part)


def _check_format(name: str, part: Tree) -> None:
    """A width is a number in the text: a large one makes a gigabyte of it."""
    first: Tree = next((argument["expression"] for argument in part["arguments"]), {})
    literal = first.get("literal") or {}
    if first.get("class") != "CONSTANT" or _WIDE.search(str(literal.get("text", ""))):
        raise QueryRefused(f"{name}: write the pattern as a text, with widths below 1000.")


def _check_type(part: Tree) -> None:
    if str(part.get("type_name", "")).lower() == "variant":
        raise QueryRefused("The type VARIANT is not available here; JSON is.")


def _words(kind: str) -> str:
    return kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
