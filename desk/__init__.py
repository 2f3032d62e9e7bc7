"""The desk, for staff: today, and orders, invoices, payments and jobs as lists."""

from flask import Blueprint

from desk import entry, invoices, jobs, orders, payments, styleguide, today


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        entry.entry,
        today.today_,
        orders.orders,
        invoices.invoices,
        payments.payments,
        jobs.jobs_,
        styleguide.styleguide,
    ]
