"""What keys of the desk can ask about products."""

from dataclasses import replace

from api import product_shapes as shapes
from api.operation import BODY, CHANGE, Operation

_ONE = "/desk/products/{slug}"
_READ = Operation(
    "get",
    "/desk/products",
    "listDeskProducts",
    "List products, archived ones too",
    shapes.DeskProductPage,
    (401, 403, 422, 429),
    query=shapes.DeskProductQuery,
    token="staffKey",
    scope="products:read",
)
_WRITE = replace(
    _READ,
    method="patch",
    path=_ONE,
    name="changeProduct",
    summary="Change a product; with If-Match or a revision, as it was seen",
    answers=shapes.DeskProductAnswer,
    problems=(401, 403, *CHANGE),
    query=None,
    takes=shapes.ProductChange,
    scope="products:write",
)
_MAKE = replace(
    _WRITE,
    method="post",
    path="/desk/products",
    name="makeProduct",
    summary="Make a product with its first thing",
    problems=(401, 403, 409, *BODY),
    status=201,
    takes=shapes.ProductWish,
    has_key=True,
)
DESK = (
    _READ,
    replace(
        _READ,
        path=_ONE,
        name="showDeskProduct",
        summary="Show a product",
        answers=shapes.DeskProductAnswer,
        problems=(401, 403, 404, 429),
        query=None,
    ),
    _MAKE,
    _WRITE,
    replace(
        _MAKE,
        path=f"{_ONE}/variants",
        name="addVariant",
        summary="Sell another thing of a product",
        problems=(401, 403, *CHANGE),
        takes=shapes.VariantWish,
    ),
    replace(
        _WRITE,
        path=f"{_ONE}/variants/{{sku}}",
        name="changeVariant",
        summary="Change a thing's name or price, or whether it can be bought",
        takes=shapes.VariantChange,
    ),
)
