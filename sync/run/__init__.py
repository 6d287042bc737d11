"""Runs: a plan carried out under a lock and a lease, and what people decide by hand."""
