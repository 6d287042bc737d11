"""The sync: what a run would do, doing it, how it is going, and what only a person can decide."""
