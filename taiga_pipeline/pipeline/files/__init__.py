"""CSV files as they occur, read and written."""
