"""A pretend payment processor: its own process, port and store. It imports nothing of the shop.

It speaks the subset of Stripe's API that the shop uses, hosts the page where a card is entered,
signs webhooks and keeps time by a clock that tests can move. No real money is ever involved.
Started with ``python -m payments.sandbox``; described in ``docs/payments-sandbox.md``.
"""
