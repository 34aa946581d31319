"""The Application Settings: ``[exchange]`` and ``[email_sync]`` as a document that is stored, versioned and applied.

The configuration file seeds the document; from then on the store's copy rules. Documents are plain JSON and never hold
a secret: those are the processes' own, from the environment.
"""
