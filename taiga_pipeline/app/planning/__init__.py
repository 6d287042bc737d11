"""Capacity, forecast, scenarios, staffing and metrics: what planning answers about a pipeline."""
