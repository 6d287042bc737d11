"""Customers are the names that deals have in their field ``customer``."""
