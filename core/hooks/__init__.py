"""Webhooks out: who wants to be told of what, what was told, and how it went. See docs/webhooks.md."""
