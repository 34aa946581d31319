"""Thin aiohttp and command-line shells. They reach the cluster through ``engine.ports.Mailroom``, never through ray."""
