"""Suites that show that people's data survives: kills, faults, races, hostile input."""
