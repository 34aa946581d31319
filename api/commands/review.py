"""``mailroom crm review``: addresses that lead to no CRM record, or to several."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from api.commands.associations import ask_items
from api.commands.output import AsJson, Limit, most, print_items


class What(StrEnum):
    """The sorts of addresses that are left to a person."""

    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"


def review(
    *,
    what: Annotated[What, typer.Option(help="Addresses that lead to no record, or to several of a kind.")],
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List addresses of emails that the CRM does not know, or has more than once; the most frequent first."""
    from api.terminal.associations import show_ambiguous, show_unmatched

    items, more = asyncio.run(ask_items("review", {"what": what.value}, most(limit, as_json=as_json)))
    show = show_unmatched if what is What.UNMATCHED else show_ambiguous
    print_items(items, show, more=more, as_json=as_json, nothing="There is no such address.")
