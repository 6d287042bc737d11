"""Planning: demand, capacity, forecast, staffing, scenarios. Pure functions over plain data."""
