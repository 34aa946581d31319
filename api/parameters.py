"""What stands behind the question mark of a URL: every parameter is known, given once and not empty, or refused."""

from collections.abc import Collection, Sequence

from aiohttp import web

from api.problems import Refusal

DEFAULT_LIMIT = 100
MOST = 1000


def read_parameters(request: web.Request, known: Collection[str]) -> dict[str, str]:
    """The parameters by name.

    Raises:
        Refusal: 400, naming those that are unknown, given twice or empty. A filter that was quietly left out would
            answer more than was asked for.
    """
    given = request.query
    strange = sorted(set(given) - set(known))
    if strange:
        names = ", ".join(strange)
        possible = ", ".join(known) or "none"
        raise _refusal(f"{names}: there is no such parameter here.", f"Possible are: {possible}.")
    for name in given:
        if len(given.getall(name)) > 1:
            raise _refusal(f"{name}: it is given more than once.", "Ask once for each value.")
        if not given[name]:
            raise _refusal(f"{name}: it is empty.", "Give it a value, or leave it out.")
    return dict(given)


def read_limit(text: str | None) -> int:
    """Items a page.

    Raises:
        Refusal: 400; not a whole number from 1 to 1000.
    """
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST):
        raise _refusal(f"limit: {text[:40]!r} is not a whole number from 1 to {MOST}.", f"Without it: {DEFAULT_LIMIT}.")
    return int(text)


def check_choice(name: str, text: str, choices: Sequence[str]) -> None:
    """Let a parameter pass that is one of few words; no choices: any text.

    Raises:
        Refusal: 400; it is another word, and an empty list would only look as if all were well.
    """
    if choices and text not in choices:
        raise _refusal(f"{name}: {text[:40]!r} is not one of its values.", f"They are: {', '.join(choices)}.")


def _refusal(message: str, hint: str) -> Refusal:
    return Refusal(400, "BAD_REQUEST", message, hint)
