"""One suite of cases that every target passes."""
