"""What keys of the desk can ask about places and levels."""

from dataclasses import replace

from api import stock_shapes as shapes
from api.operation import BODY, CHANGE, Operation
from api.order_shapes import LevelAnswer

_LISTED = Operation(
    "get",
    "/desk/locations",
    "listLocations",
    "List the places that pieces come from",
    shapes.LocationList,
    (401, 403, 429),
    token="staffKey",
    scope="stock:read",
)
_PUT = replace(
    _LISTED,
    method="put",
    path="/desk/locations/{code}",
    name="keepLocation",
    summary="Open a place, or say anew where it stands",
    answers=shapes.LocationAnswer,
    takes=shapes.LocationWish,
    problems=(401, 403, *CHANGE),
    scope="stock:write",
)
SHOP = (
    Operation(
        "post",
        "/stock-waits",
        "waitForStock",
        "Be told when a thing is back",
        shapes.WaitAnswer,
        (404, *BODY),
        status=202,
        takes=shapes.WaitWish,
    ),
)
DESK = (
    _LISTED,
    replace(
        _LISTED,
        path="/desk/stock-waits",
        name="listStockWaits",
        summary="List who waits for what is gone",
        answers=shapes.WaitPage,
        problems=(401, 403, 422, 429),
        query=shapes.WaitQuery,
    ),
    _PUT,
    replace(
        _PUT,
        path="/desk/stock/limits",
        name="limitStock",
        summary="Set what a level allows",
        answers=LevelAnswer,
        takes=shapes.LimitsWish,
    ),
    replace(
        _LISTED,
        path="/desk/hold-policies",
        name="listHoldPolicies",
        summary="List how carts hold things",
        answers=shapes.HoldPolicyList,
    ),
    replace(
        _PUT,
        path="/desk/hold-policies",
        name="setHoldPolicy",
        summary="Set how carts hold things for a product, a kind of customer and a channel",
        answers=shapes.HoldPolicyAnswer,
        takes=shapes.HoldPolicyWish,
    ),
    replace(
        _LISTED,
        method="delete",
        path="/desk/hold-policies/{policy_id}",
        name="removeHoldPolicy",
        summary="Let what is more general count",
        answers=None,
        status=204,
        problems=(401, 403, 404, 429),
        scope="stock:write",
    ),
    replace(
        _LISTED,
        path="/desk/transfers",
        name="listTransfers",
        summary="List what goes between places, the last sent first",
        answers=shapes.TransferPage,
        problems=(401, 403, 422, 429),
        query=shapes.TransferQuery,
    ),
    replace(
        _PUT,
        method="post",
        path="/desk/transfers",
        name="sendStock",
        summary="Send pieces to another place",
        answers=shapes.TransferAnswer,
        takes=shapes.TransferWish,
        status=201,
        has_key=True,
    ),
    replace(
        _PUT,
        method="post",
        path="/desk/transfers/{transfer_id}/arrivals",
        name="receiveTransfer",
        summary="Say that pieces are here, or lost",
        answers=shapes.TransferAnswer,
        takes=shapes.ArrivalWish,
        has_key=True,
    ),
    replace(
        _PUT,
        method="post",
        path="/desk/stock/imports",
        name="importStock",
        summary="Look at a file of stock, or do it as a whole",
        answers=shapes.SheetAnswer,
        takes=shapes.SheetWish,
        has_key=True,
    ),
)
