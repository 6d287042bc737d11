"""What the adapters for tools with a JSON API over HTTP share."""
