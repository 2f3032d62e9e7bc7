"""The account: what is owed, bills, paying them, and the doors in."""

from flask import Blueprint

from portal import documents, entry, overview, passwords, pay, quotes, statements, tax


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        overview.overview,
        entry.entry,
        passwords.passwords,
        documents.documents,
        statements.statements,
        pay.pay,
        quotes.quotes,
        tax.tax,
    ]
