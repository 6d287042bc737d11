"""The command line: thin commands; every message and exit code is decided here."""
