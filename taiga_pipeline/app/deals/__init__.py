"""The deals of the built-in store: look at them, change and staff them, import and export them."""
