"""Whose column is whose: the names people give the columns of an operator file, and what we make of them.

Case, accents, spaces and signs of names do not count. Of several columns that would do for one field the name that
stands first in the table wins; the others are ignored, and listed so.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ImportRefused
from engine.imports.problems import shown

FIELDS = ("operator_id", "email", "name", "email_sync")
_FIRST, _LAST = "first name", "last name"

_ALIASES: dict[str, str] = {
    "operator_id": "operator id, operator, id, user id, employee id, employee number, personnel number, login,"
    " user name, sam account name, alias, personalnummer, benutzername, kennung, matricule, identifiant",
    "email": "primary smtp address, smtp address, email, mail, email address, mail address, smtp, work email,"
    " windows email address, user principal name, upn, emailadresse, mailadresse, adresse email, adresse mail,"
    " courriel",
    "name": "name, full name, display name, operator name, anzeigename, vollstandiger name, nom complet,"
    " nom d'affichage",
    "email_sync": "email sync, email sync enabled, sync, sync enabled, enabled, active, aktiv, aktiviert, actif",
    _FIRST: "first name, given name, forename, vorname, prenom",
    _LAST: "last name, surname, family name, sn, nachname, familienname, nom, nom de famille",
}
_SIGNS = re.compile(r"[\ufeff\u200b\s_\-.'()/:*#]+")
_ADDRESS = re.compile(r"[^\s@,;|<>\"]+@[^\s@,;|<>\"]+")
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands (None: nowhere). ``titles`` are the columns as the file calls them.

    ``name`` has one place, or those of first and last name to be joined. ``header`` is False for a file that begins
    with an operator at once.
    """

    titles: tuple[str, ...]
    email: int
    operator_id: int | None = None
    name: tuple[int, ...] = ()
    email_sync: int | None = None
    header: bool = True

    def used(self) -> dict[str, list[str]]:
        """The titles by the field they stand for."""
        places = {
            "operator_id": () if self.operator_id is None else (self.operator_id,),
            "email": (self.email,),
            "name": self.name,
            "email_sync": () if self.email_sync is None else (self.email_sync,),
        }
        return {field: [self.titles[place] for place in found] for field, found in places.items() if found}

    def title(self, field: str) -> str:
        """What the file calls a field; the field's own name where it has none."""
        return " + ".join(self.used().get(field, ())) or field

    def ignored(self) -> list[str]:
        """The titles of the other columns."""
        used = {self.email, self.operator_id, self.email_sync, *self.name}
        return [title for place, title in enumerate(self.titles) if place not in used]

    def last(self) -> int:
        """The last place that is used: a row must reach as far."""
        return max(self.email, self.operator_id or 0, self.email_sync or 0, *self.name, 0)


def normal(title: str) -> str:
    """A title without what does not count."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    return _SIGNS.sub("", "".join(one for one in plain if not unicodedata.combining(one)))


def _ranks() -> dict[str, tuple[str, int]]:
    ranks: dict[str, tuple[str, int]] = {}
    for field, names in _ALIASES.items():
        for rank, name in enumerate(names.split(",")):
            ranks.setdefault(normal(name), (field, rank))
    return ranks


_RANKS = _ranks()


def is_address(cell: str) -> bool:
    """Whether this looks like one email address and nothing else."""
    return _ADDRESS.fullmatch(cell.strip()) is not None


def known_fields(cells: Sequence[str]) -> set[str]:
    """The fields a row of titles has columns for."""
    return {_RANKS[title][0] for cell in cells if (title := normal(cell)) in _RANKS}


def find_columns(cells: Sequence[str]) -> Columns:
    """The columns by the first row of a file.

    A row without any title we know, with one address and at most one more cell, is an operator already: the address
    is the email, the other cell the name.

    Raises:
        ImportRefused: no column is the email's, or two of the same name are.
    """
    titles = tuple(shown(cell.strip(), 60) or f"column {place}" for place, cell in enumerate(cells, 1))
    found = _places(cells, titles)
    if "email" not in found:
        if not found and len(cells) <= 2 and sum(map(is_address, cells)) == 1:
            return _without_header(cells)
        raise _no_email(titles, headless=not found and any(map(is_address, cells)))
    name = (found["name"],) if "name" in found else tuple(found[part] for part in (_FIRST, _LAST) if part in found)
    return Columns(titles, found["email"], found.get("operator_id"), name, found.get("email_sync"))


def _places(cells: Sequence[str], titles: Sequence[str]) -> dict[str, int]:
    best: dict[str, tuple[int, int]] = {}
    for place, cell in enumerate(cells):
        field, rank = _RANKS.get(normal(cell), ("", 0))
        if not field:
            continue
        other = best.get(field)
        if other and other[0] == rank:
            both = f"{titles[other[1]]!r} and {titles[place]!r} (columns {other[1] + 1} and {place + 1})"
            raise ImportRefused(
                f"Two columns are for {field.replace('_', ' ')}: {both}. Delete or rename one of them.",
                code="COLUMN_TWICE",
            )
        if not other or rank < other[0]:
            best[field] = (rank, place)
    return {field: place for field, (_, place) in best.items()}


def _without_header(cells: Sequence[str]) -> Columns:
    email = next(place for place, cell in enumerate(cells) if is_address(cell))
    titles = tuple("email" if place == email else "name" for place in range(len(cells)))
    return Columns(titles, email, name=tuple(place for place in range(len(cells)) if place != email), header=False)


def _no_email(titles: Sequence[str], *, headless: bool) -> ImportRefused:
    if headless:
        return ImportRefused(
            "The first row is no header: it has an address in it. Write a first row with the columns' names: "
            f"{', '.join(FIELDS)}.",
            code="NO_HEADER",
        )
    more = f" and {len(titles) - _MOST_SHOWN} more" if len(titles) > _MOST_SHOWN else ""
    seen = ", ".join(map(repr, titles[:_MOST_SHOWN]))
    return ImportRefused(
        f"No column has the email addresses. The first row reads: {seen}{more}. "
        "Name that column email; operator_id, name and email_sync may stand beside it.",
        code="NO_EMAIL_COLUMN",
    )
