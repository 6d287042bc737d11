"""Benchmarks: ``python -m bench NAME`` prints a table; ``python -m bench --help`` lists them."""
