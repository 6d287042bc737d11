"""Mapping files: loading, checking, and turning deals into desired records."""
