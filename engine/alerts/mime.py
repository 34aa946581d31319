"""A digest as an email message (RFC 5322): text and HTML, in seven bits, marked so that no machine answers."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from engine.alerts.model import OutgoingMail
from engine.alerts.words import one_line

_SEVEN_BITS = SMTP.clone(cte_type="7bit")
_LONGEST_SUBJECT = 200


def as_message(mail: OutgoingMail, sender: str, domain: str, recipients: Sequence[str] | None = None) -> EmailMessage:
    """The message of a mail.

    ``sender`` empty: no From, the server that sends it knows. ``domain`` is the right side of its Message-ID, which is
    the same whenever the mail is sent. ``recipients``: of the mail's, those whom its To names; None: all.
    """
    message = EmailMessage(_SEVEN_BITS)
    if sender:
        message["From"] = sender
    message["To"] = ", ".join(mail.recipients if recipients is None else recipients)
    message["Subject"] = _subject(mail.subject)
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.mail_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _subject(text: str) -> str:
    # An encoded word would be decoded on its way into the header, line breaks included
    return one_line(text, _LONGEST_SUBJECT).replace("=?", "= ?")
