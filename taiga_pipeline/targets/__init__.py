"""Project-management tools that projects are kept in."""
