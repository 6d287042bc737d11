"""Ways out for people: terminal, JSON."""
