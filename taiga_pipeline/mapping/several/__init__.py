"""Several deals in one project, and several projects of one deal."""
