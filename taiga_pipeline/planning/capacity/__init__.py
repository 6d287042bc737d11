"""Who is short, of which role, in which week, because of which deals."""
