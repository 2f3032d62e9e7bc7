"""A form of the desk that was used for something else already: whoever sent it goes back to the page of the
thing. Called by the roof's errors, so that no view answers it by itself.
"""

from flask import Response, request, url_for

from web.flashes import say

#: By the form: the page of what it is about. Those that are not named lead to the desk's first page.
_PAGE = {
    "desk_order_changes.cancel": "desk_orders.one",
    "desk_order_changes.take": "desk_orders.one",
    "desk_order_edits.change": "desk_orders.one",
    "desk_shipping.ship": "desk_orders.one",
    "desk_shipping.provide": "desk_orders.one",
    "desk_pick_ups.set_ready": "desk_orders.one",
    "desk_payment_refunds.give": "desk_payments.one",
    "desk_transfers.send": "desk_transfers.listed",
    "desk_stock.adjust": "desk_stock.one",
    "desk_stock_file.apply": "desk_stock.listed",
    "desk_products.make": "desk_products.listed",
    "desk_products.add": "desk_products.one",
    "desk_numbers.add": "desk_numbers.one_pool",
    "desk_number_file.apply": "desk_numbers.one_pool",
    "desk_customers.make": "desk_customers.listed",
}
_FIRST = "desk_today.show"
_SAID = (
    "This form was used already. Look at what stands there now, and fill it in again if it is "
    "still needed."
)


def back() -> Response | None:
    """To the page of the thing, with a sentence; None where no form of the desk was sent."""
    if request.method != "POST" or not request.path.startswith("/desk/"):
        return None
    say(_SAID, "warn")
    endpoint = _PAGE.get(request.endpoint or "")
    where = url_for(endpoint, **(request.view_args or {})) if endpoint else url_for(_FIRST)
    return Response(status=303, headers={"Location": where})
