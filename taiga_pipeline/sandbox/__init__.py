"""A small Taiga-compatible server for the demo, for development and for tests.

Run it inside a process with `taiga_pipeline.sandbox.embedded.Sandbox`,
alone with `taiga_pipeline.sandbox.embedded.serve`.
"""
