"""The desk, for staff: today, and orders, invoices, payments and jobs as lists."""

from flask import Blueprint

from desk import (
    certificates,
    entry,
    invoices,
    jobs,
    ledger,
    ledger_accounts,
    orders,
    payments,
    statements,
    styleguide,
    taxes,
    today,
)


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        entry.entry,
        today.today_,
        orders.orders,
        invoices.invoices,
        statements.statements,
        payments.payments,
        taxes.taxes,
        certificates.certificates,
        ledger.ledger,
        ledger_accounts.ledger_accounts,
        jobs.jobs_,
        styleguide.styleguide,
    ]
