"""The funnel: how deals pass its stages, and what a small pipeline tells of that."""
