"""The ledger: double entry, append-only; what is open, what was applied to what, and tenders."""
