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
    quote,
    quote_editor,
    quote_report,
    quotes,
    refunds,
    services,
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
        quotes.quotes,
        quote_report.quote_report,
        quote_editor.quote_editor,
        quote.quote,
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
        jobs.jobs_,
        keys.keys,
        styleguide.styleguide,
    ]
