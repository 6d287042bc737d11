"""The fields of a deal, built in and of the user's own."""
