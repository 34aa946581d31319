"""What Mailroom knows: records, decisions, sources and the store. Never imports ray, actors or api."""
