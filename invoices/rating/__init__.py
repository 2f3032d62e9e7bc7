"""Rating: what should be billed, worked out on plain values. No database, no clock."""
