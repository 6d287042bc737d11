"""The sync engine."""
