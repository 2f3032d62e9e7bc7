"""The chart of accounts that every legal entity opens with."""

import uuid

from sqlalchemy.orm import Session

from core.ledger.models import LedgerAccount

CASH = "cash"
CLEARING = "processor_clearing"
RECEIVABLE = "accounts_receivable"
RECEIVABLE_CHARGED_BACK = "receivable_charged_back"
CONTRACT_ASSET = "contract_asset"
CURRENCY_CLEARING = "currency_clearing"
IMPORTED_SETTLEMENTS = "imported_settlements"
ALLOWANCE = "allowance"
CONTRACT_LIABILITY = "contract_liability"
TAX_PAYABLE = "tax_payable"
ORDER_DEPOSIT = "order_deposit"
CUSTOMER_CREDIT = "customer_credit"
UNAPPLIED = "unapplied"
UNIDENTIFIED = "unidentified"
GIFT_CARDS = "gift_card_liability"
REVENUE = "revenue"
FEES = "processor_fees"
BAD_DEBT = "bad_debt"
CURRENCY_DIFFERENCE = "currency_difference"

#: The accounts whose balance is the sum of open items; those on the debit side first.
OPEN_ON_DEBIT = (RECEIVABLE, RECEIVABLE_CHARGED_BACK)
OPEN_ITEM_ACCOUNTS = (
    *OPEN_ON_DEBIT,
    ORDER_DEPOSIT,
    CUSTOMER_CREDIT,
    UNAPPLIED,
    UNIDENTIFIED,
)

CHART = (
    (CASH, "Cash", "asset"),
    (CLEARING, "Processor clearing", "asset"),
    (RECEIVABLE, "Accounts receivable", "asset"),
    (RECEIVABLE_CHARGED_BACK, "Receivable charged back", "asset"),
    (CONTRACT_ASSET, "Contract asset", "asset"),
    (CURRENCY_CLEARING, "Currency clearing", "asset"),
    (IMPORTED_SETTLEMENTS, "Imported settlements", "asset"),
    (ALLOWANCE, "Allowance for bad debt", "asset"),
    (CONTRACT_LIABILITY, "Contract liability", "liability"),
    (TAX_PAYABLE, "Tax payable", "liability"),
    (ORDER_DEPOSIT, "Order deposits", "liability"),
    (CUSTOMER_CREDIT, "Customer credit", "liability"),
    (UNAPPLIED, "Unapplied payments", "liability"),
    (UNIDENTIFIED, "Unidentified payments", "liability"),
    (GIFT_CARDS, "Gift card liability", "liability"),
    (REVENUE, "Revenue", "income"),
    (FEES, "Processor fees", "expense"),
    (BAD_DEBT, "Bad debt", "expense"),
    (CURRENCY_DIFFERENCE, "Currency differences", "expense"),
)


def open_chart(session: Session, legal_entity_id: uuid.UUID) -> None:
    """Give a new legal entity its accounts."""
    session.add_all(
        LedgerAccount(legal_entity_id=legal_entity_id, code=code, name=name, ledger_class=kind)
        for code, name, kind in CHART
    )
    session.flush()
