"""Customers, similar past deals, and retrospectives: what was learnt, for the next offer."""
