"""Keep deals and projects in step, and decide what only a person can decide."""
