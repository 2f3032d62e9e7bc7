"""What keys of the desk can ask about products."""

from dataclasses import replace

from api import product_shapes as shapes
from api.operation import BODY, CHANGE, Operation
from api.shapes import Nothing

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
_PRICES = replace(
    _WRITE,
    method="put",
    path=f"{_ONE}/variants/{{sku}}/prices",
    name="setVariantPrice",
    summary="Set what a thing costs on one list",
    answers=shapes.VariantPrices,
    takes=shapes.PriceWish,
)
_LISTS = replace(
    _READ,
    path="/desk/price-lists",
    name="listPriceLists",
    summary="List the price lists",
    answers=shapes.PriceListList,
    problems=(401, 403, 429),
    query=None,
)
PRICES = (
    replace(
        _READ,
        path=f"{_ONE}/variants/{{sku}}/prices",
        name="showVariantPrices",
        summary="Show what a thing costs on every list, how it recurs, what is in it",
        answers=shapes.VariantPrices,
        problems=(401, 403, 404, 429),
        query=None,
    ),
    _PRICES,
    replace(
        _PRICES,
        path=f"{_ONE}/variants/{{sku}}/pieces",
        name="packBundle",
        summary="Put pieces into a bundle, in place of those it has",
        takes=shapes.PiecesWish,
    ),
    _LISTS,
    replace(
        _PRICES,
        method="post",
        path="/desk/price-lists",
        name="openPriceList",
        summary="Open a price list",
        answers=shapes.PriceListAnswer,
        problems=(401, 403, *BODY),
        status=201,
        takes=shapes.PriceListWish,
    ),
    replace(
        _PRICES,
        method="post",
        path="/desk/price-lists/{code}/end",
        name="endPriceList",
        summary="Let a price list hold no more",
        answers=shapes.PriceListAnswer,
        takes=Nothing,
        takes_nothing_too=True,
    ),
)
DESK = (
    *PRICES,
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
