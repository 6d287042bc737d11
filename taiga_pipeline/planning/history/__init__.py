"""What is on record of a pipeline, and what of it was known on a past day."""
