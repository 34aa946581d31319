"""Digits and letters only: text that is copied whole by a double click, and needs no escaping in a URL or a shell."""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encode(number: int, width: int, alphabet: str = ALPHABET) -> str:
    """A number of at least 0 in ``width`` digits, zeros in front; digits beyond ``width`` are dropped from the left."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    return "".join(reversed(digits))
