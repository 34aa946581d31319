"""ResolveNames: people of the organisation by a part of their name or address.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/resolvenames-operation
"""

from itertools import islice

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.organisation import Organisation
from engine.simulator.people import Operator
from engine.simulator.requests import Model, attribute, truth
from engine.simulator.soap import failure, success
from engine.simulator.xml import M, boolean, child_text, escape

MODEL = Model("m:ParentFolderIds? m:UnresolvedEntry")
_MOST = 100


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """The people found; a warning with more than one, an error with none."""
    full = truth(request, attribute(request, "ReturnFullContactData"))
    entry = child_text(request, f"{M}UnresolvedEntry").strip()
    if not any(character.isalnum() for character in entry):
        return [failure("ResolveNames", ResponseError("ErrorInvalidNameForNameResolution"))]
    found = list(islice(_matches(context.organisation, entry.lower()), _MOST + 1))
    if not found:
        return [failure("ResolveNames", ResponseError("ErrorNameResolutionNoResults"))]
    shown = found[:_MOST]
    inner = "".join(_resolution(person, full=full) for person in shown)
    body = (
        f'<m:ResolutionSet TotalItemsInView="{len(shown)}" IncludesLastItemInRange="{boolean(len(found) <= _MOST)}">'
        f"{inner}</m:ResolutionSet>"
    ).encode()
    if len(found) > 1:
        error = ResponseError("ErrorNameResolutionMultipleResults")
        return [failure("ResolveNames", error, body, kind="Warning")]
    return [success("ResolveNames", body)]


def _matches(organisation: Organisation, entry: str) -> "list[Operator] | filter[Operator]":
    address = entry.removeprefix("smtp:")
    exact = organisation.people.get(organisation.aliases.get(address, address))
    if exact:
        return [exact]

    def fits(person: Operator) -> bool:
        words = [*person.name.lower().split(), person.name.lower(), person.email, person.operator_id]
        return any(word.startswith(address) for word in words)

    return filter(fits, organisation.people.values())


def _resolution(person: Operator, *, full: bool) -> str:
    first, _, last = person.name.partition(" ")
    contact = (
        f"<t:Contact><t:DisplayName>{escape(person.name)}</t:DisplayName><t:GivenName>{escape(first)}</t:GivenName>"
        f'<t:EmailAddresses><t:Entry Key="EmailAddress1">SMTP:{escape(person.email)}</t:Entry></t:EmailAddresses>'
        f"<t:ContactSource>ActiveDirectory</t:ContactSource><t:Surname>{escape(last)}</t:Surname></t:Contact>"
    )
    return (
        f"<t:Resolution><t:Mailbox><t:Name>{escape(person.name)}</t:Name>"
        f"<t:EmailAddress>{escape(person.email)}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>"
        f"<t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>{contact if full else ''}</t:Resolution>"
    )
