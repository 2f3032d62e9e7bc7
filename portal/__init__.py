"""The account: what is owed, bills, paying them, and the doors in."""

from flask import Blueprint

from portal import (
    documents,
    entry,
    guest_pay,
    overview,
    passwords,
    past_due,
    pay,
    quotes,
    services,
    statements,
    tax,
    tokens,
    trials,
)


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        overview.overview,
        entry.entry,
        passwords.passwords,
        documents.documents,
        statements.statements,
        services.services,
        pay.pay,
        guest_pay.guest_pay,
        past_due.past_due,
        quotes.quotes,
        tax.tax,
        tokens.tokens_,
        trials.trials,
    ]
