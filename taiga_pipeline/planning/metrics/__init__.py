"""What the past says about selling and delivering. Pure functions."""
