"""Odoo's API, for those who read deals there and for those who make projects there."""
