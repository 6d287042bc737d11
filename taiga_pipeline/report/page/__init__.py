"""The report: one HTML file that needs nothing else, for people on any device and on paper."""
