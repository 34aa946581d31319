"""Which encoding a file is in: a byte order mark says, or UTF-8 proves itself; else we assume one, and say so."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper

from engine.errors import ImportRefused

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_MARKS = (
    # UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "latin-1": "ISO 8859-1",
}
_OTHER_FILES = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a compressed file"),
)
_AS_CSV = "Save the sheet as CSV (UTF-8), and import that."


@dataclass(frozen=True, slots=True)
class Encoding:
    """``codec`` is Python's name, ``name`` the one for people; ``warning``: why somebody should look at the names."""

    codec: str
    name: str
    warning: str = ""


def find_encoding(data: bytes) -> Encoding:
    """The encoding of a file.

    A file that is UTF-8 but for a few bytes is read as UTF-8, and the characters lost are found again as U+FFFD: read
    as anything else, every accent in it would be wrong.

    Raises:
        ImportRefused: this is no text.
    """
    for mark, what in _OTHER_FILES:
        if data.startswith(mark):
            raise ImportRefused(f"The file is {what}, not a CSV file. {_AS_CSV}", code="NOT_TEXT")
    found = _by_mark(data) or _by_zeros(data) or _by_decoding(data)
    sample = data[:_SAMPLE].decode(found.codec, "replace")
    odd = sum(one < " " and one not in "\t\n\r\f" for one in sample)
    if odd > len(sample) // 10:
        raise ImportRefused(f"The file is not text. {_AS_CSV}", code="NOT_TEXT")
    return found


def open_text(data: bytes, encoding: Encoding) -> TextIOWrapper:
    """The text line by line; every kind of line end reads as a newline, what cannot be decoded as U+FFFD."""
    return TextIOWrapper(BytesIO(data), encoding=encoding.codec, errors="replace", newline=None)


def _by_mark(data: bytes) -> Encoding | None:
    return next((Encoding(codec, _NAMES[codec]) for mark, codec in _MARKS if data.startswith(mark)), None)


def _by_zeros(data: bytes) -> Encoding | None:
    """UTF-16 without a mark: of its pairs of bytes, one half is nearly always zero."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    for codec, zeros, others in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        if half > 1 and zeros.count(0) * 10 > half * 7 and others.count(0) * 10 < half:
            return Encoding(codec, _NAMES[codec], "The file does not say its encoding; it was read as UTF-16.")
    return None


def _by_decoding(data: bytes) -> Encoding:
    if _decodes(data, "utf-8"):
        return Encoding("utf-8", _NAMES["utf-8"])
    lost = kept = 0
    for text in _decoded(data, "utf-8", "replace"):
        replaced = text.count("\ufffd")
        lost += replaced
        kept += len(text) - len(text.encode("ascii", "ignore")) - replaced
    if kept > lost:
        return Encoding("utf-8", _NAMES["utf-8"], "The file is damaged: some characters in it are not UTF-8.")
    codec = "cp1252" if _decodes(data, "cp1252") else "latin-1"
    return Encoding(
        codec,
        _NAMES[codec],
        f"The file is not UTF-8; it was read as {_NAMES[codec]}. See whether names with accents are right; "
        "if they are not, save the file as UTF-8.",
    )


def _decodes(data: bytes, codec: str) -> bool:
    try:
        for _ in _decoded(data, codec, "strict"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _decoded(data: bytes, codec: str, errors: str) -> Iterator[str]:
    """The text in pieces, so that a large file is never in memory as one more copy."""
    decoder = codecs.getincrementaldecoder(codec)(errors)
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK):
        yield decoder.decode(bytes(view[start : start + _CHUNK]))
    yield decoder.decode(b"", final=True)
