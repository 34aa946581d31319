"""The resources of the REST API, a file each: parse, ask the Mailroom, answer."""
