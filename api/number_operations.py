"""What can be asked about numbers, addresses and keys."""

from dataclasses import replace

from api import number_shapes as shapes
from api.operation import CHANGE, Operation
from api.shapes import Nothing

_ONE = "/desk/pools/{sku}"
SHOP = (
    Operation(
        "get",
        "/products/{slug}/variants/{sku}/numbers",
        "listFreeNumbers",
        "List the numbers of a thing that can be chosen now",
        shapes.FreeNumbers,
        (404, 422, 429),
        query=shapes.NumberQuery,
    ),
)
_LISTED = Operation(
    "get",
    "/desk/pools",
    "listPools",
    "List what is sold by numbers, addresses or keys",
    shapes.PoolPage,
    (401, 403, 422, 429),
    query=shapes.PoolQuery,
    token="staffKey",
    scope="stock:read",
)
_PUT = replace(
    _LISTED,
    method="put",
    path=_ONE,
    name="setPoolTerms",
    summary="Say whether customers choose, and how long one rests",
    answers=shapes.PoolAnswer,
    problems=(401, 403, *CHANGE),
    query=None,
    takes=shapes.PoolTerms,
    scope="stock:write",
)
_ACT = replace(
    _PUT,
    method="post",
    path=f"{_ONE}/numbers/{{number_id}}/withdraw",
    name="withdrawNumber",
    summary="Sell a number no more",
    answers=shapes.NumberAnswer,
    takes=shapes.WithdrawWish,
)
DESK = (
    _LISTED,
    replace(
        _PUT,
        method="post",
        path="/desk/pools",
        name="openPool",
        summary="Sell a thing by numbers, addresses or keys from now on",
        status=201,
        takes=shapes.PoolWish,
    ),
    replace(
        _LISTED,
        path=_ONE,
        name="showPool",
        summary="Show a pool with how many are in each state",
        answers=shapes.PoolAnswer,
        problems=(401, 403, 404, 429),
        query=None,
    ),
    _PUT,
    replace(
        _LISTED,
        path=f"{_ONE}/numbers",
        name="listNumbers",
        summary="List what is in a pool, the last added first",
        answers=shapes.NumberPage,
        problems=(401, 403, 404, 422, 429),
        query=shapes.NumbersQuery,
    ),
    replace(
        _PUT,
        method="post",
        path=f"{_ONE}/numbers",
        name="addNumbers",
        summary="Add some to a pool, all or none",
        answers=shapes.NumbersAdded,
        status=201,
        takes=shapes.NumbersWish,
        has_key=True,
    ),
    _ACT,
    replace(
        _ACT,
        path=f"{_ONE}/numbers/{{number_id}}/release",
        name="releaseNumber",
        summary="Let others have one that rests",
        takes=Nothing,
        takes_nothing_too=True,
    ),
    replace(
        _ACT,
        path=f"{_ONE}/numbers/{{number_id}}/restore",
        name="restoreNumber",
        summary="Put one back that was withdrawn",
        takes=Nothing,
        takes_nothing_too=True,
    ),
)
