"""Digests as mail: text and HTML from the templates beside this module. Pure, but for reading them once."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from engine.alerts.decide import Digest
from engine.alerts.model import OutgoingMail
from engine.alerts.words import Background, say

_TEMPLATES = Environment(
    loader=PackageLoader("engine.alerts"),
    autoescape=select_autoescape(("html.j2",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def write(digest: Digest, recipients: Sequence[str], background: Background) -> OutgoingMail:
    """The mail of a digest."""
    said = say(digest, background)
    shown = {name: getattr(said, name) for name in said.__slots__}
    return OutgoingMail(
        mail_id=digest.mail_id,
        alert_id=digest.alert.alert_id,
        recipients=tuple(recipients),
        subject=f"[Mailroom] {said.title}",
        text=_TEMPLATES.get_template("digest.txt.j2").render(shown),
        html=_TEMPLATES.get_template("digest.html.j2").render(shown),
        created_at=digest.written_at,
    )
