"""Operators from a file: bytes of a CSV to a preview, row by row, and to the operators to put.

    bytes ── encodings ── delimiters ── records ──▶ table ── headers ── values ──▶ rows
    rows × the operators there are ── targets ── addresses ──▶ verdicts ──▶ preview

``wizard.preview`` is the way in. Nothing here reads a clock, a disk or a network, and nothing is changed: whoever has
the preview decides, puts ``Preview.operators()``, and refuses where ``digest.digest`` no longer says the same.
"""
