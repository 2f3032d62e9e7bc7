"""When a sale is earned: what lines promise, what of it is given, and the entries that say so."""
