"""Bodies of requests: JSON that a pydantic model describes, or a refusal that names the keys."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from api.problems import VALUE_INVALID, Refusal

ModelT = TypeVar("ModelT", bound=BaseModel)

_NAMED = 5
_WORDS = {"extra_forbidden": "there is no such key"}


def parse_body(model: type[ModelT], body: bytes, hint: str) -> ModelT:
    """The body as the model reads it.

    Raises:
        Refusal: 400, naming what is wrong key by key; ``hint`` shows a body that would do.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        # A union reports each of its members: one line a key is enough.
        problems = {
            ".".join(str(part) for part in one["loc"][:2]) or "body": _WORDS.get(one["type"], one["msg"])
            for one in reversed(error.errors(include_url=False, include_context=False))
        }
        lines = [f"{where}: {problem}." for where, problem in reversed(problems.items())]
        raise Refusal(400, _code(error), " ".join(lines[:_NAMED]), hint) from None


def _code(error: ValidationError) -> str:
    """BAD_REQUEST is a body that is not what the document says; what only a validator of ours can tell is not."""
    found = error.errors(include_url=False, include_context=False)
    ours = all(one["type"] == "value_error" and one["input"] is not None for one in found)
    return VALUE_INVALID if ours else "BAD_REQUEST"
