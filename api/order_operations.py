"""What keys of the desk can ask about orders, stock and customers."""

from api import order_shapes as shapes
from api.operation import BODY, CHANGE, Operation
from api.shapes import Nothing

_SEEN = (401, 403, 404, 429)
_LISTED = (401, 403, 422, 429)
_DONE = (401, 403, *CHANGE, 503)
_ORDER = "/desk/orders/{order_id}"
_KEY = "staffKey"


def _act(
    path: str,
    name: str,
    summary: str,
    takes: type,
    scope: str = "orders:write",
    *,
    bare: bool = False,
) -> Operation:
    return Operation(
        "post",
        path,
        name,
        summary,
        shapes.DeskOrderAnswer,
        _DONE,
        takes=takes,
        takes_nothing_too=bare,
        has_key=True,
        token=_KEY,
        scope=scope,
    )


DESK = (
    Operation(
        "get",
        "/desk/orders",
        "listDeskOrders",
        "List orders, the newest first",
        shapes.DeskOrderPage,
        _LISTED,
        query=shapes.DeskOrderQuery,
        token=_KEY,
        scope="orders:read",
    ),
    Operation(
        "get",
        _ORDER,
        "showDeskOrder",
        "Show an order",
        shapes.DeskOrderAnswer,
        _SEEN,
        token=_KEY,
        scope="orders:read",
    ),
    _act(f"{_ORDER}/ship", "shipOrder", "Send a parcel", shapes.ShipWish),
    _act(
        "/desk/parcels/{parcel_id}/arrived",
        "parcelArrived",
        "A parcel has arrived: its customer is told",
        shapes.ArrivedWish,
        bare=True,
    ),
    _act(f"{_ORDER}/fulfil", "fulfilOrder", "Note as done what is not sent", shapes.ProvideWish),
    _act(f"{_ORDER}/cancel", "cancelOrder", "Cancel what has not left", shapes.CancelWish),
    _act(f"{_ORDER}/returns", "returnOrder", "Announce or take a return", shapes.ReturnWish),
    _act(
        "/desk/returns/{return_id}/accept",
        "acceptReturn",
        "A return that a customer asked for may come",
        Nothing,
        bare=True,
    ),
    _act(
        "/desk/returns/{return_id}/decline",
        "declineReturn",
        "A return that a customer asked for is declined",
        shapes.DeclineWish,
    ),
    _act(
        "/desk/returns/{return_id}/receive",
        "receiveReturn",
        "An announced return is here",
        shapes.ReceiveWish,
        bare=True,
    ),
    _act(
        "/desk/returns/{return_id}/withdraw",
        "withdrawReturn",
        "An announced return does not come",
        Nothing,
        bare=True,
    ),
    _act(f"{_ORDER}/refund", "refundOrder", "Give money back", shapes.RefundWish, "refunds:write"),
    Operation(
        "get",
        "/desk/stock",
        "listStock",
        "List levels, by SKU",
        shapes.StockPage,
        _LISTED,
        query=shapes.StockQuery,
        token=_KEY,
        scope="stock:read",
    ),
    Operation(
        "post",
        "/desk/stock/adjustments",
        "adjustStock",
        "Correct what is on hand",
        shapes.LevelAnswer,
        (401, 403, *CHANGE),
        takes=shapes.StockWish,
        has_key=True,
        token=_KEY,
        scope="stock:write",
    ),
    Operation(
        "get",
        "/desk/customers",
        "listCustomers",
        "List customers, the newest first",
        shapes.CustomerPage,
        _LISTED,
        query=shapes.CustomerQuery,
        token=_KEY,
        scope="customers:read",
    ),
    Operation(
        "get",
        "/desk/customers/{account_number}",
        "showCustomer",
        "Show a customer",
        shapes.CustomerAnswer,
        _SEEN,
        token=_KEY,
        scope="customers:read",
    ),
    Operation(
        "post",
        "/desk/customers",
        "openCustomer",
        "Open an account",
        shapes.CustomerAnswer,
        (401, 403, 409, *BODY),
        status=201,
        takes=shapes.CustomerWish,
        has_key=True,
        token=_KEY,
        scope="customers:write",
    ),
    Operation(
        "put",
        "/desk/customers/{account_number}",
        "changeCustomer",
        "Change a customer",
        shapes.CustomerAnswer,
        (401, 403, *CHANGE),
        takes=shapes.CustomerChange,
        token=_KEY,
        scope="customers:write",
    ),
)
