"""``python -m engine.failure_page``: writes docs/failures.md from the table of failures. A test compares the two."""

import re
import sys
from pathlib import Path

from engine.failures import Action, Failure, all_failures, is_permanent

_SETTING = re.compile(r"\b(?:(?:exchange|email_sync|cluster|store)\.[a-z_]+|MAILROOM_[A-Z_]+)\b")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "failures.md"

_HEAD = """\
# What can go wrong, and what to do

<!-- Made from engine/failures.py by `make docs`; changes belong there. -->

Find the code that stands in the alert, in `mailroom failures`, or in the log. In commands, ADDRESS is the operator's
email address and SERVICEACCOUNT is `exchange.username`; they are for the Exchange Management Shell, or Exchange Online
PowerShell.

Nothing has to be restarted: once a cause is gone, Mailroom finds out by itself. `mailroom jobs run EmailSync` has every
failing mailbox tried at once.
"""
_TAIL = """\
## Retry classes

A mailbox that fails of a passing cause is retried, with growing pauses, until `email_sync.notification_frequency`
minutes have passed without progress. Then its sync is given up: its state is `failed`, an alert goes to
`email_sync.notify_failures_to`, and it is probed now and then until it succeeds. With a permanent cause this happens at
once; a single 401 is taken for a slip of the server.

| class | cause | codes |
|---|---|---|
"""


def page() -> str:
    """The whole of docs/failures.md."""
    failures = sorted(all_failures(), key=lambda failure: failure.code)
    contents = "\n".join(f"| [{one.code}](#{_anchor(one)}) | {_cell(one.cause)} |" for one in failures)
    sections = "\n".join(_section(one) for one in failures)
    classes = "\n".join(_class(action, failures) for action in Action)
    return f"{_HEAD}\n| code | what has happened |\n|---|---|\n{contents}\n\n{sections}\n{_TAIL}{classes}\n"


def _anchor(failure: Failure) -> str:
    return failure.code.lower()


def _cell(text: str) -> str:
    return _marked(text).replace("|", "\\|")


def _marked(text: str) -> str:
    """Settings stand out."""
    return _SETTING.sub(r"`\g<0>`", text)


def _section(failure: Failure) -> str:
    lines = [
        f"## {failure.code}",
        _marked(failure.cause),
        f"**What to do.** {_marked(failure.remedy)}",
        f"**What Mailroom does by itself.** {failure.meanwhile}",
    ]
    if failure.triggers:
        lines.append(f"**What leads here.** {', '.join(_trigger(one) for one in failure.triggers)}.")
    if failure.page:
        lines.append(f"[At Microsoft]({failure.page})")
    return "\n\n".join(lines) + "\n"


def _trigger(text: str) -> str:
    return f"`{text}`" if text.startswith(("Error", "HTTP ")) else _marked(text)


def _class(action: Action, failures: list[Failure]) -> str:
    codes = ", ".join(f"[{one.code}](#{_anchor(one)})" for one in failures if one.action is action)
    return f"| {action.value} | {'permanent' if is_permanent(action) else 'passing'} | {codes} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} is up to date.\n")
