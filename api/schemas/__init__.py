"""What answers look like, a file for each resource: pydantic models that /openapi.json is made of.

Handlers do not build them; the tests of the API check every answer against them (``tests/api/conformance.py``).
"""
