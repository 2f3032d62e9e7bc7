"""Taxes: rates by place and category, and their arithmetic."""
