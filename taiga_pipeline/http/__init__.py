"""What sources and targets over HTTP share: sessions, waits, bounds, checked answers."""
