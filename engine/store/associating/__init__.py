"""Associations in the file: made at landing, and made anew for what has landed already."""
