"""Exchange Web Services. The only place that imports exchangelib; nothing of it leaves.

Kept light on purpose: the gateway imports ``engine.sources.ews.notification`` and must not load exchangelib with it.
The source itself is ``engine.sources.ews.source.EwsSource``.
"""
