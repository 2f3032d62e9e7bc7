"""The desk, for staff: today, and orders, invoices, payments and jobs as lists."""

from flask import Blueprint

from desk import (
    bill_money,
    bookkeeping,
    certificates,
    drafts,
    entry,
    gift_cards,
    invoices,
    jobs,
    keys,
    ledger,
    ledger_accounts,
    memos,
    money,
    orders,
    payments,
    refunds,
    services,
    statements,
    styleguide,
    taxes,
    terms,
    today,
    trial_care,
    trials,
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
        services.services,
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
        trials.trials,
        trial_care.trial_care,
        jobs.jobs_,
        keys.keys,
        styleguide.styleguide,
    ]
