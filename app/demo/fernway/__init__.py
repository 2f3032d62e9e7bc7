"""Fernway, the demo's shop: a regional broadband and smart-home company, invented.

``seeding.open_shop`` puts it into an empty database, with customers whose orders and bills came about in the
real flows, on days gone by. ``./shop seed`` calls it. All people are fictional.
"""
