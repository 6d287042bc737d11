"""Money of a plan: rates, planned revenue, cost and margin, budgets and what is left of them."""
