"""Billing of services: what should be billed is compared with what is, and the difference is posted."""
