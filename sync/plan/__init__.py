"""Plans: what a run would do and why, counted against the limits. Reads, and writes nothing."""
