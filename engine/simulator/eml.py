"""Messages out of .eml files."""

from pathlib import Path
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Message


def mail_files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.eml"))


def load(path: Path, mailbox: Mailbox) -> Message:
    raise NotImplementedError
