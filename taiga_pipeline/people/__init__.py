"""Roster, roles, skills and allocations of people to deals."""
