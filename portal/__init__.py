"""The account: what is owed, bills, paying them, and the doors in."""

from flask import Blueprint

from portal import (
    autopay,
    cards,
    consents,
    disputes,
    documents,
    entry,
    guest_pay,
    orders,
    overview,
    passwords,
    past_due,
    pay,
    pay_code,
    quotes,
    scheduled,
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
        disputes.disputes,
        orders.orders,
        statements.statements,
        services.services,
        pay.pay,
        guest_pay.guest_pay,
        pay_code.pay_code,
        cards.cards,
        autopay.autopay,
        scheduled.scheduled_,
        past_due.past_due,
        quotes.quotes,
        tax.tax,
        consents.consents,
        tokens.tokens_,
        trials.trials,
    ]
