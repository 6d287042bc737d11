"""What hours cost, and are billed at: kept with their history, and as CSV files."""
