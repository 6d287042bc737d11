"""Telling people: after a run, and as a digest."""
