"""What lies ahead: capacity, forecast, staffing, scenarios, metrics, report."""
