"""The roster, time off and allocations of the built-in store."""
