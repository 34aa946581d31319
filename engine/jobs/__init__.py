"""The jobs: when they run, what a run is, and what is remembered of it."""
