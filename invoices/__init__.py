"""Invoices are documents: rated, numbered, frozen, rendered once and kept."""
