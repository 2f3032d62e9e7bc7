"""A bill is paid."""

from core.ledger import business, items
from core.ledger.business import Receipt
from core.ledger.chart import CASH
from invoices.models import Invoice
from tests.flows.billing.conftest import Services


def pay(services: Services, invoice: Invoice) -> None:
    """By bank transfer, all that is open."""
    from core.kernel.ids import new_id

    def work(session):
        owed = items.of_sources(session, [invoice.id])[invoice.id]
        receipt = Receipt(
            new_id(),
            invoice.legal_entity_id,
            invoice.payer_account_id,
            f"T-{invoice.number}",
            owed.open,
            services.today,
            CASH,
            "transfer",
        )
        business.receive_for_items(session, receipt, [(owed, owed.open)], services.clock.now())

    services.within(work)
