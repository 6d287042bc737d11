"""The hours that deals ask for, by role and week."""
