"""What an order's link opens: the order and its papers, for whoever holds the token that the mail carried."""

from core.kernel.errors import NotFound
from core.kernel.ids import same_token
from core.orders import placing
from flows.follow_order import Followed, follow
from invoices.models import Invoice
from web.context import house


def followed(public_id: str, token: str, *, with_awaited: bool = False) -> Followed:
    """The order, for the one who holds its token. NotFound for anybody else.

    ``with_awaited``: with what of it waits as a back-order.
    """
    if not same_token(token, house().links.order_token(public_id)):
        raise NotFound("order")
    with house().db.snapshot() as session:
        return follow(session, placing.by_public_id(session, public_id), with_awaited=with_awaited)


def document_of(followed: Followed, invoice_id: str) -> Invoice:
    """A paper of this order. NotFound for any other."""
    for invoice in followed.invoices:
        if invoice.public_id == invoice_id:
            return invoice
    raise NotFound("bill")
