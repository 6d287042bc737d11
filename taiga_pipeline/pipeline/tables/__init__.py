"""What the deal store reads from its tables and writes there, by what it is about."""
