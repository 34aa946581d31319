"""Data subjects: whose mail is erased and kept out, and what has been done about it."""
