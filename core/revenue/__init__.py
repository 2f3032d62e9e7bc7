"""When a sale is earned. Only its tables stand so far."""
