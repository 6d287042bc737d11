"""The state store: bindings, bases, journal, runs and open issues."""
