"""``/metrics`` for Prometheus. Names, types and labels are a promise: ``docs/metrics.md`` has them all."""
