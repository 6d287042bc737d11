"""The pages: routes, templates and a little script over the use cases; no logic of their own.

`application` makes the pages of a workspace, `serving` serves them, ``access/`` says who is there
and what they may do, ``routes/`` has a module for each page. `visit` is what a page is handed.
"""
