"""Who bills, who is billed and who logs in."""
