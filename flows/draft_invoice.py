"""Staff draft an invoice, look at it, and discard or issue it."""

from sqlalchemy.orm import Session

from core.parties import accounts
from core.parties.models import Account, Channel
from flows.correct_invoice import printing
from flows.house import House
from invoices import drafts, pdf, theme
from invoices.document import InvoiceDocument
from invoices.drafts import Draft
from invoices.models import Invoice, InvoiceDraft


def start(house: House, account_number: str, actor: str) -> InvoiceDraft:
    """Begin a draft for the account with this number. NotFound when there is none."""

    def write(session: Session) -> InvoiceDraft:
        account = accounts.by_number(session, account_number)
        return drafts.start(session, account.id, Draft(), actor, house.clock.now())

    return house.db.run_tx(write)


def change(house: House, public_id: str, draft: Draft, revision: int) -> None:
    """Write a draft anew. StaleState when somebody else was first."""
    now = house.clock.now()
    house.db.run_tx(lambda session: drafts.change(session, public_id, draft, revision, now))


def discard(house: House, public_id: str, revision: int, actor: str) -> None:
    """Give a draft up. StaleState when somebody else was first."""
    now = house.clock.now()
    house.db.run_tx(lambda session: drafts.discard(session, public_id, revision, actor, now))


def issue(house: House, public_id: str, revision: int, actor: str) -> Invoice:
    """Issue a draft; a second time answers the same invoice. Raises what ``drafts.issue`` raises."""
    return house.db.run_tx(
        lambda session: drafts.issue(
            session, public_id, revision, printing(house.links), actor, house.clock.now()
        )
    )


def preview(session: Session, house: House, row: InvoiceDraft) -> InvoiceDocument:
    """What the invoice would say now."""
    return drafts.preview(session, row, printing(house.links), house.clock.now())


def preview_pdf(session: Session, house: House, row: InvoiceDraft) -> bytes:
    """The same in print, with a watermark; never stored."""
    account = session.get_one(Account, row.payer_account_id)
    channel = session.get_one(Channel, account.channel_id)
    document = preview(session, house, row)
    return pdf.render(document, theme=theme.of_brand(channel.brand)).bytes


def issued_as(session: Session, row: InvoiceDraft) -> Invoice | None:
    """The invoice that a draft became."""
    return session.get(Invoice, row.invoice_id) if row.invoice_id is not None else None
