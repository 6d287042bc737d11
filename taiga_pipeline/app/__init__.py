"""Use cases: what a person can ask for, free of click and of words for a terminal.

The command line and the workers call these; so will pages. A `workspace.Workspace` hands them the
settings, the clock and the doors to stores and sources.
"""
