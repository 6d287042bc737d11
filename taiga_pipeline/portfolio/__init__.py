"""The pipeline as a project of its own: a board of deals, and the resource plan on a wiki page."""
