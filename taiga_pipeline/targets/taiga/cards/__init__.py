"""What cards of a board have that people work on: custom values, tasks, comments."""
