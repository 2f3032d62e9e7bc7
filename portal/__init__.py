"""The account: what is owed, bills, paying them, and the doors in."""

from flask import Blueprint

from portal import documents, entry, overview, passwords, pay, statements, tax, trials
from portal import documents, entry, overview, passwords, pay, statements, tax, tokens
from portal import documents, entry, overview, passwords, pay, services, statements, tax


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
        tax.tax,
        trials.trials,
        tokens.tokens_,
    ]
