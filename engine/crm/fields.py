"""The fields each kind of CRM record has, and whose column is whose in a file of them.

Case, spaces, underscores and dashes of titles do not count. Of several columns that would do for one field the name
that stands first in the table wins; addresses and domains take every column they find.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from engine.crm.model import RecordKind
from engine.errors import ImportRefused
from engine.imports.problems import shown

_PEOPLE = ("id", "name", "addresses", "owner", "updated_at")
_COMPANIES = ("id", "name", "addresses", "domains", "owner", "updated_at")
FIELDS: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.CONTACT: (*_PEOPLE, "account_id"),
    RecordKind.LEAD: _PEOPLE,
    RecordKind.ACCOUNT: _COMPANIES,
    RecordKind.ORGANIZATION: _COMPANIES,
    RecordKind.OPPORTUNITY: (
        *("id", "name", "owner", "account_id", "stage", "is_open", "contact_ids", "active_at", "updated_at"),
    ),
}
"""The fields of each kind, as files and the API call them."""

FIRST, LAST, CLOSED, STATE = "first", "last", "closed", "state"
_ALIASES: dict[tuple[str, str], str] = {
    ("id", ""): "id recordid",
    ("name", ""): "name fullname",
    ("name", FIRST): "firstname",
    ("name", LAST): "lastname",
    ("addresses", ""): "addresses email emails address emailaddress email1 email2 email3"
    " emailaddress1 emailaddress2 emailaddress3",
    ("domains", ""): "domains domain website websiteurl url",
    ("owner", ""): "owner ownerid owneremail",
    ("account_id", ""): "accountid parentaccount parentaccountid parentcustomerid companyid",
    ("stage", ""): "stage stagename salesstage",
    ("is_open", ""): "isopen open",
    ("is_open", CLOSED): "isclosed closed",
    ("is_open", STATE): "status state",
    ("contact_ids", ""): "contactids contactid contacts",
    ("active_at", ""): "activeat lastactivity lastactivityat lastactivitydate",
    ("updated_at", ""): "updatedat modifiedon lastmodified lastmodifieddate updated",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "id": (str, int),
    "owner": (str, int),
    "account_id": (str, int),
    "addresses": (str, list),
    "domains": (str, list),
    "contact_ids": (str, list),
    "is_open": (bool,),
}
_TYPE_NAMES: dict[tuple[type, ...], str] = {
    (str,): "a string",
    (str, int): "a string or an integer",
    (str, list): "a list of strings",
}
_SEVERAL = {"addresses", "domains"}
_SIGNS = re.compile(r"[\s_\-\u200b\ufeff]+")
_MOST_SHOWN = 20


class Use(NamedTuple):
    """A column that is used: where it stands, its title, its field, and (``variant``) how it says it."""

    place: int
    title: str
    field: str
    variant: str = ""


class _Known(NamedTuple):
    field: str
    variant: str
    rank: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file: all their titles, and those that are used, the parts of a name in order."""

    titles: tuple[str, ...]
    uses: tuple[Use, ...]

    def columns(self) -> dict[str, str]:
        """The title, or the titles joined by `` + ``, by the field they stand for."""
        titles: dict[str, list[str]] = defaultdict(list)
        for use in self.uses:
            titles[use.field].append(use.title)
        return {field: " + ".join(found) for field, found in titles.items()}

    def ignored(self) -> tuple[str, ...]:
        """The titles of the other columns."""
        used = {use.place for use in self.uses}
        return tuple(title for place, title in enumerate(self.titles) if place not in used)

    def last(self) -> int:
        """The last place that is used: a row must reach as far."""
        return max(use.place for use in self.uses)


def known_fields(kind: RecordKind, cells: Iterable[str]) -> set[str]:
    """The fields a row of titles has columns for."""
    known = _known(kind)
    return {known[title].field for cell in cells if (title := _normal(cell)) in known}


def find_layout(kind: RecordKind, cells: Sequence[str]) -> Layout:
    """The columns by the first row of a file.

    Raises:
        ImportRefused: no column has the ids, or two of the same name are for one field.
    """
    titles = tuple(shown(cell.strip(), 60) or f"column {place}" for place, cell in enumerate(cells, 1))
    known = _known(kind)
    found: dict[str, list[tuple[_Known, Use]]] = defaultdict(list)
    for place, cell in enumerate(cells):
        if one := known.get(_normal(cell)):
            found[one.field].append((one, Use(place, titles[place], one.field, one.variant)))
    if "id" not in found:
        raise _no_id(kind, titles)
    uses = [use for field in FIELDS[kind] if field in found for use in _choose(field, found[field])]
    return Layout(titles, tuple(uses))


def wrong_field(kind: RecordKind, field: str, value: object) -> str:
    """Why a field of a JSON object cannot be read (there is none of the name, or its type is another), or nothing."""
    if field not in FIELDS[kind]:
        return f"A record of the {kind.plural} has no such field. It has: {', '.join(FIELDS[kind])}."
    types = _TYPES.get(field, (str,))
    if value is None or (isinstance(value, types) and (bool in types or not isinstance(value, bool))):
        return ""
    return f"This is of the wrong type. Write {_TYPE_NAMES.get(types, 'true or false')}."


def _choose(field: str, found: list[tuple[_Known, Use]]) -> list[Use]:
    if field in _SEVERAL:
        return [use for _, use in found]
    whole = [(one, use) for one, use in found if one.variant not in {FIRST, LAST}]
    if whole:
        return [_best(whole)]
    parts = [[(one, use) for one, use in found if one.variant == part] for part in (FIRST, LAST)]
    return [_best(part) for part in parts if part]


def _best(found: list[tuple[_Known, Use]]) -> Use:
    rank = min(one.rank for one, _ in found)
    best = [use for one, use in found if one.rank == rank]
    if len(best) > 1:
        both = f"{best[0].title!r} and {best[1].title!r} (columns {best[0].place + 1} and {best[1].place + 1})"
        raise ImportRefused(
            f"Two columns are for {best[0].field}: {both}. Delete or rename one of them.", code="COLUMN_TWICE"
        )
    return best[0]


@lru_cache(maxsize=8)
def _known(kind: RecordKind) -> dict[str, _Known]:
    """What each title means in a file of this kind; the kind's own id comes after ``id`` and ``record_id``."""
    known: dict[str, _Known] = {}
    rank = 0
    for (field, variant), names in _ALIASES.items():
        own = f"{names} {kind.value}id" if field == "id" else names
        for name in own.split() if field in FIELDS[kind] else ():
            known.setdefault(name, _Known(field, variant, rank))
            rank += 1
    return known


def _normal(title: str) -> str:
    return _SIGNS.sub("", title.casefold())


def _no_id(kind: RecordKind, titles: Sequence[str]) -> ImportRefused:
    more = f" and {len(titles) - _MOST_SHOWN} more" if len(titles) > _MOST_SHOWN else ""
    seen = ", ".join(map(repr, titles[:_MOST_SHOWN]))
    return ImportRefused(
        f"No column has the ids of the {kind.plural}. The columns are: {seen}{more}. Name that column id; "
        f"these may stand beside it: {', '.join(FIELDS[kind][1:])}.",
        code="NO_ID_COLUMN",
    )
