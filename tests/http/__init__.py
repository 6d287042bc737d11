"""What the adapters for tools over HTTP share."""
