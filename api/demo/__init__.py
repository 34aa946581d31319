"""The demo: a simulated Exchange, a whole Mailroom, and the proof that one holds what the other serves."""
