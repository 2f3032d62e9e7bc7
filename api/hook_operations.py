"""What the desk's keys can ask about webhooks."""

from pydantic import BaseModel

from api import hook_shapes as shapes
from api.operation import CHANGE, Operation
from api.shapes import Nothing

_SEEN = (401, 403, 404, 429)
_LIST = (401, 403, 404, 422, 429)
_DO = (401, 403, *CHANGE)
_ONE = "/desk/webhooks/{webhook_id}"
_TOLD = f"{_ONE}/deliveries/{{delivery_id}}"


def _read(
    path: str,
    name: str,
    summary: str,
    answers: type[BaseModel],
    query: type[BaseModel] | None = None,
) -> Operation:
    problems = _LIST if query is not None else _SEEN
    return Operation(
        "get",
        path,
        name,
        summary,
        answers,
        problems,
        query=query,
        token="staffKey",
        scope="webhooks:read",
    )


def _do(
    method: str,
    path: str,
    name: str,
    summary: str,
    answers: type[BaseModel] | None,
    takes: type[BaseModel] | None = None,
    *,
    status: int = 200,
    once: bool = False,
    optional: bool = False,
    location: bool = False,
) -> Operation:
    return Operation(
        method,
        path,
        name,
        summary,
        answers,
        _DO if takes is not None else (401, 403, 404, 429),
        status=status,
        takes=takes,
        takes_nothing_too=optional,
        has_key=once,
        token="staffKey",
        scope="webhooks:write",
        gives_location=location,
    )


DESK = (
    _read("/desk/webhooks", "listWebhooks", "List webhooks", shapes.HookPage, shapes.HookQuery),
    _do(
        "post",
        "/desk/webhooks",
        "addWebhook",
        "Add a webhook; its secret is in this answer alone",
        shapes.HookSecretAnswer,
        shapes.HookWish,
        status=201,
        location=True,
    ),
    _read(_ONE, "showWebhook", "One webhook", shapes.HookAnswer),
    _do("put", _ONE, "changeWebhook", "Change a webhook", shapes.HookAnswer, shapes.HookWish),
    _do("delete", _ONE, "removeWebhook", "Remove a webhook", None, status=204),
    _do(
        "post",
        f"{_ONE}/switch",
        "switchWebhook",
        "Switch a webhook off or on",
        shapes.HookAnswer,
        shapes.HookSwitch,
    ),
    _do(
        "post",
        f"{_ONE}/secret",
        "rotateWebhookSecret",
        "Make a new secret; the old one signs along for a while",
        shapes.HookSecretAnswer,
        shapes.HookRotation,
        optional=True,
    ),
    _do(
        "post",
        f"{_ONE}/test",
        "testWebhook",
        "Send a test event",
        shapes.DeliveryAnswer,
        Nothing,
        status=202,
        optional=True,
    ),
    _read(
        f"{_ONE}/deliveries",
        "listWebhookDeliveries",
        "List what was sent to a webhook, the last first",
        shapes.DeliveryPage,
        shapes.DeliveryQuery,
    ),
    _read(_TOLD, "showWebhookDelivery", "What was sent, and each try", shapes.DeliveryAnswer),
    _do(
        "post",
        f"{_TOLD}/again",
        "resendWebhookDelivery",
        "Send the same message once more",
        shapes.DeliveryAnswer,
        Nothing,
        status=202,
        optional=True,
    ),
)
