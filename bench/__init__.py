"""Benchmarks: ``python -m bench NAME``. One file each; see ``bench.__main__`` for the list.

Figures are CPU seconds (user and system) wherever they can be, because wall time says as much about what else the
machine is doing; comparisons come from one run.
"""
