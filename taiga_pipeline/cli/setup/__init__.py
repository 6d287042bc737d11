"""Set up and try out."""
