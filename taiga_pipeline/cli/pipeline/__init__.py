"""Deals, people and rules: what sales, managers and admins keep."""
