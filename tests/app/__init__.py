"""Use cases, called as a page or a script calls them."""
