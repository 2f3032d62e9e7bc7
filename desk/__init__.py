"""The desk, for staff: today, and orders, invoices, payments and jobs as lists."""

from flask import Blueprint

from desk import (
    bill_money,
    bill_runs,
    bookkeeping,
    certificates,
    drafts,
    entry,
    gift_cards,
    invoices,
    jobs,
    ledger,
    ledger_accounts,
    memos,
    money,
    orders,
    parked,
    payments,
    refunds,
    statements,
    styleguide,
    taxes,
    terms,
    today,
)


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        entry.entry,
        today.today_,
        orders.orders,
        invoices.invoices,
        drafts.drafts,
        memos.memos,
        terms.terms,
        statements.statements,
        bill_runs.bill_runs,
        parked.parked,
        payments.payments,
        gift_cards.gift_cards,
        refunds.refunds,
        taxes.taxes,
        certificates.certificates,
        ledger.ledger,
        ledger_accounts.ledger_accounts,
        money.money,
        bill_money.bill_money,
        bookkeeping.bookkeeping,
        jobs.jobs_,
        styleguide.styleguide,
    ]
