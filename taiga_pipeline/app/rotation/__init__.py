"""Another secret for the account of a source or target."""
