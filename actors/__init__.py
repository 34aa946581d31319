"""Thin Ray shells around the engine: the only package that imports ray. No decisions are taken here."""

import os

# Ray reads these when it is imported: no usage reports, and every log line as it is, without colours or summaries.
for _name in ("RAY_USAGE_STATS_ENABLED", "RAY_DEDUP_LOGS", "RAY_COLOR_PREFIX"):
    os.environ.setdefault(_name, "0")
