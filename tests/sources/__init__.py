"""Tests of the places where deals are read."""
