"""From a request on a socket to an endpoint, and back."""
