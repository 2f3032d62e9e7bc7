"""What recurs: a plan in somebody's service."""
