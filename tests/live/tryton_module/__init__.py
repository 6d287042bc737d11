"""A module for Tryton: fields for delivery facts in its opportunities (docs/sources.md)."""
