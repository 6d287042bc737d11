"""What will be won, when, and how sure that is. Needs numpy."""
