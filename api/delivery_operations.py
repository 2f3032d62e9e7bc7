"""What keys of the desk can ask about delivery and about what checkout asks to agree to."""

from pydantic import BaseModel

from api import delivery_shapes as shapes
from api.operation import CHANGE, Operation


def _read(
    path: str, name: str, summary: str, answers: type[BaseModel], query: type[BaseModel] | None
) -> Operation:
    return Operation(
        "get",
        path,
        name,
        summary,
        answers,
        (401, 403, 422, 429),
        query=query,
        token="staffKey",
        scope="delivery:read",
    )


def _put(
    path: str, name: str, summary: str, answers: type[BaseModel], takes: type[BaseModel]
) -> Operation:
    return Operation(
        "put",
        path,
        name,
        summary,
        answers,
        (401, 403, *CHANGE),
        takes=takes,
        token="staffKey",
        scope="delivery:write",
    )


DESK = (
    _read(
        "/desk/delivery",
        "showDelivery",
        "Every way of delivery and zone",
        shapes.DeliverySetup,
        None,
    ),
    _put(
        "/desk/delivery/ways/{country}/{code}",
        "putWay",
        "Make or change a way of delivery",
        shapes.WayAnswer,
        shapes.WayWish,
    ),
    _put(
        "/desk/delivery/zones/{code}",
        "putZone",
        "Make or change a zone",
        shapes.ZoneAnswer,
        shapes.ZoneWish,
    ),
    _read(
        "/desk/delivery/times",
        "listTimes",
        "List times for visits",
        shapes.DeskSlotList,
        shapes.TimesQuery,
    ),
    Operation(
        "post",
        "/desk/delivery/times",
        "addTimes",
        "Offer times for visits",
        shapes.TimesAdded,
        (401, 403, *CHANGE),
        status=201,
        takes=shapes.TimesWish,
        has_key=True,
        token="staffKey",
        scope="delivery:write",
    ),
    _put(
        "/desk/delivery/times/{slot_id}",
        "resizeTime",
        "Make room for so many visits",
        shapes.DeskSlotAnswer,
        shapes.RoomWish,
    ),
    _put(
        "/desk/checkout-terms/{code}",
        "putCheckoutTerm",
        "Ask to agree to this from now on",
        shapes.TermAnswer,
        shapes.TermWish,
    ),
    Operation(
        "delete",
        "/desk/checkout-terms/{code}",
        "endCheckoutTerm",
        "Ask it no more",
        None,
        (401, 403, 404, 429),
        status=204,
        token="staffKey",
        scope="delivery:write",
    ),
)
