"""Emails as they are answered."""

from typing import Annotated

from pydantic import Field

from api.schemas.associations import AssociationOfEmail
from api.schemas.shared import Moment, Shown


class Address(Shown):
    """Somebody an email names."""

    name: str | None
    address: str | None


Addresses = list[Address] | None


class EmailRow(Shown):
    """An email in a list: without bodies, with how its text begins."""

    operator_id: str
    operator_email: str | None
    item_id: Annotated[str, Field(description="Exchange's; percent-encode it in a path.")]
    folder: str
    subject: str | None
    sender_name: str | None
    sender_address: str | None
    to_recipients: Addresses
    cc_recipients: Addresses
    received_at: Moment | None
    sent_at: Moment | None
    is_read: bool | None
    importance: str | None
    has_attachments: bool | None
    size: Annotated[int | None, Field(description="Bytes, as Exchange counts them.")]
    conversation_id: str | None
    snippet: Annotated[str | None, Field(description="How the text begins, on one line.")]


class AttachmentShown(Shown):
    """An attachment; its content stays at Exchange."""

    attachment_id: str | None
    name: str | None
    content_type: str | None
    content_id: str | None
    size: int | None
    is_inline: bool | None
    is_item: Annotated[bool | None, Field(description="It is an item itself, such as a forwarded message.")]


class EmailShown(Shown):
    """An email, all of it: the columns of the view `all_emails`, its attachments and its associations."""

    operator_id: str
    operator_email: str | None
    item_id: str
    change_key: str | None
    folder: str
    subject: str | None
    sender_name: str | None
    sender_address: str | None
    to_recipients: Addresses
    cc_recipients: Addresses
    bcc_recipients: Addresses
    sent_at: Moment | None
    received_at: Moment | None
    modified_at: Moment | None
    landed_at: Moment
    deleted_at: Annotated[Moment | None, Field(description="When it was found deleted; null while it is there.")]
    message_id: str | None
    conversation_id: str | None
    in_reply_to: str | None
    references: str | None
    body_text: str | None
    body_html: str | None
    is_read: bool | None
    importance: str | None
    sensitivity: str | None
    has_attachments: bool | None
    size: int | None
    categories: list[str] | None
    item_class: str | None
    folder_id: str
    first_landed_at: Moment
    moved_from: Annotated[str | None, Field(description="The id it had in the folder it was moved from.")]
    mass_mail: Annotated[
        bool | None,
        Field(description="It names more people than `email_sync.mass_mail_over`, so that its sender alone counts."),
    ]
    attachments: list[AttachmentShown]
    associations: Annotated[list[AssociationOfEmail], Field(description="The CRM records it concerns, surest first.")]
    thread_id: Annotated[str | None, Field(description="Its conversation; null once it is deleted.")]
