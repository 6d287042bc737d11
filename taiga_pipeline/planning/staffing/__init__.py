"""Who should do what: a staffing problem, a quick plan, a better plan, and what they are worth."""
