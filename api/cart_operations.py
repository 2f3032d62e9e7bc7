"""What the API can be asked about carts."""

from dataclasses import replace

from api import cart_shapes, shapes
from api.operation import BODY, CHANGE, Operation

#: Of every change of a cart.
_CHANGE = (*CHANGE, 412)


def _change(method: str, path: str, name: str, summary: str, **more: object) -> Operation:
    """A change of a cart that answers the cart."""
    plain = Operation(
        method,
        path,
        name,
        summary,
        cart_shapes.CartAnswer,
        _CHANGE,
        may_have_key=True,
        has_version=True,
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # as Operation takes it


CARTS = (
    Operation(
        "post",
        "/carts",
        "createCart",
        "Begin an empty cart",
        cart_shapes.CartAnswer,
        (*BODY, 409),
        status=201,
        takes=shapes.Nothing,
        takes_nothing_too=True,
        gives_location=True,
        may_have_key=True,
        has_version=True,
    ),
    Operation(
        "get",
        "/carts/{cart_id}",
        "showCart",
        "Show a cart and what it costs",
        cart_shapes.CartAnswer,
        (404, 429),
        has_version=True,
    ),
    _change(
        "patch",
        "/carts/{cart_id}",
        "changeCart",
        "Say where and how it is delivered",
        takes=cart_shapes.CartChange,
    ),
    _change(
        "post",
        "/carts/{cart_id}/lines",
        "addLine",
        "Put something in and hold it",
        answers=cart_shapes.LineAnswer,
        status=201,
        takes=cart_shapes.NewLine,
    ),
    _change(
        "patch",
        "/carts/{cart_id}/lines/{line_id}",
        "changeLine",
        "Say how many of a line",
        answers=cart_shapes.LineAnswer,
        takes=cart_shapes.LineChange,
        also={204: "It was taken out."},
    ),
    _change(
        "put",
        "/carts/{cart_id}/lines/{line_id}/number",
        "changeNumber",
        "Choose another number for a line",
        takes=cart_shapes.NumberChange,
    ),
    _change(
        "delete",
        "/carts/{cart_id}/lines/{line_id}",
        "removeLine",
        "Take a line out",
        answers=None,
        problems=(404, 409, 412, 422, 429),
        status=204,
    ),
    _change(
        "post",
        "/carts/{cart_id}/lines/{line_id}/save",
        "saveLine",
        "Save a line for later",
        takes=shapes.Nothing,
        takes_nothing_too=True,
    ),
    _change(
        "post",
        "/carts/{cart_id}/saved/{saved_id}/take",
        "takeSaved",
        "Put what was saved for later back in and hold it",
        takes=shapes.Nothing,
        takes_nothing_too=True,
    ),
    _change(
        "delete",
        "/carts/{cart_id}/saved/{saved_id}",
        "dropSaved",
        "Forget what was saved for later",
        answers=None,
        problems=(404, 409, 412, 422, 429),
        status=204,
    ),
    Operation(
        "get",
        "/carts/{cart_id}/slots",
        "listSlots",
        "Times that can be chosen for a visit",
        cart_shapes.SlotList,
        (404, 429),
    ),
    _change(
        "post",
        "/carts/{cart_id}/share",
        "shareCart",
        "Make a frozen copy of a cart for others",
        answers=cart_shapes.SharedCartAnswer,
        status=201,
        takes=shapes.Nothing,
        takes_nothing_too=True,
    ),
    Operation(
        "get",
        "/shared-carts/{shared_cart_id}",
        "showSharedCart",
        "Show a shared cart",
        cart_shapes.SharedCartAnswer,
        (404, 429),
    ),
    _change(
        "post",
        "/carts/{cart_id}/take",
        "takeShared",
        "Take what was shared into a cart",
        answers=cart_shapes.TakenAnswer,
        takes=cart_shapes.TakeShared,
    ),
)
