"""Statements: a period's roll-forward for one account, frozen, each beginning where the last one ended."""
