"""Which mail does not land at all, and why. Pure."""
