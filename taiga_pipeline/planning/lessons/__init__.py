"""What past deals teach: what became of each, which are similar, what a customer's were like."""
