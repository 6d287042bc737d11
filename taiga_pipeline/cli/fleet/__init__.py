"""Many pipelines, on many machines."""
