"""What if: changes that exist only in the plan."""
