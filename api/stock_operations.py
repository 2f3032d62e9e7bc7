"""What keys of the desk can ask about places and levels."""

from dataclasses import replace

from api import stock_shapes as shapes
from api.operation import CHANGE, Operation

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
DESK = (
    _LISTED,
    _PUT,
    replace(
        _PUT,
        path="/desk/stock/limits",
        name="limitStock",
        summary="Set what a level allows",
        answers=shapes.LevelAnswer,
        takes=shapes.LimitsWish,
    ),
)
