"""The same deals as people in many places would export them."""
