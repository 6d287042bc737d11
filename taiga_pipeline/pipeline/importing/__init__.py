"""From the rows of any file to deals, merged with what the store holds."""
