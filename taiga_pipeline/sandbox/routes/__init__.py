"""The endpoints of the sandbox, one module per kind of object."""
