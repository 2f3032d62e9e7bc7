"""Mails to people: one row per key, rendered once, sent by a job."""
