"""What customers' tokens and the desk's keys can ask about services and usage."""

from dataclasses import replace

from api import provisioning_shapes as provisioning
from api import service_shapes as shapes
from api.operation import BODY, CHANGE, Operation
from api.shapes import Nothing

_SEEN = (401, 403, 404, 429)
_DONE = (401, 403, *CHANGE, 503)
_ONE = "/services/{service_id}"

#: Below ``/account`` for customers, below ``/desk`` for staff.
_BOTH = (
    Operation(
        "get",
        "/services",
        "Services",
        "List services, the newest first",
        shapes.ServicePage,
        (401, 403, 422, 429),
        query=shapes.ServiceQuery,
        scope="read",
    ),
    Operation("get", _ONE, "Service", "Show a service", shapes.ServiceAnswer, _SEEN, scope="read"),
    Operation(
        "get",
        f"{_ONE}/usage",
        "ServiceUsage",
        "What a service used, by period",
        shapes.UsageAnswer,
        _SEEN,
        scope="read",
    ),
    Operation(
        "post",
        f"{_ONE}/preview",
        "previewService",
        "What another plan or quantity would bring",
        shapes.PreviewAnswer,
        (401, 403, *CHANGE, 503),
        takes=shapes.ServiceChange,
        scope="read",
    ),
    Operation(
        "post",
        f"{_ONE}/change",
        "changeService",
        "Change the plan or its quantity",
        shapes.DoneAnswer,
        _DONE,
        takes=shapes.ServiceChangeWish,
        has_key=True,
        scope="write",
    ),
    Operation(
        "post",
        f"{_ONE}/pause",
        "pauseService",
        "Pause a service from today on",
        shapes.DoneAnswer,
        _DONE,
        takes=shapes.PauseWish,
        has_key=True,
        scope="write",
    ),
    Operation(
        "post",
        f"{_ONE}/resume",
        "resumeService",
        "Resume a service",
        shapes.DoneAnswer,
        _DONE,
        takes=Nothing,
        takes_nothing_too=True,
        has_key=True,
        scope="write",
    ),
    Operation(
        "post",
        f"{_ONE}/end",
        "endService",
        "End a service, today or with its period",
        shapes.DoneAnswer,
        _DONE,
        takes=shapes.EndWish,
        has_key=True,
        scope="write",
    ),
    Operation(
        "post",
        f"{_ONE}/keep",
        "keepService",
        "Take back the end or the change that lies ahead",
        shapes.DoneAnswer,
        _DONE,
        takes=Nothing,
        takes_nothing_too=True,
        has_key=True,
        scope="write",
    ),
)


def _side(one: Operation, base: str, whose: str, token: str, scopes: str) -> Operation:
    """The same for one side: ``listOwnServices``, ``changeAnyService``."""
    verb, _, noun = one.name.partition("Service")
    verb = verb or {"Services": "list", "ServiceUsage": "show", "Service": "show"}[one.name]
    return replace(
        one,
        path=f"{base}{one.path}",
        name=f"{verb}{whose}Service{noun}",
        token=token,
        scope=f"{scopes}:{one.scope}",
    )


CUSTOMERS = (
    *(_side(one, "/account", "Own", "userToken", "services") for one in _BOTH),
    Operation(
        "get",
        "/account/{account_number}/may-use/{feature}",
        "mayOwnUse",
        "May an account of yours use this?",
        shapes.EntitlementAnswer,
        _SEEN,
        token="userToken",
        scope="services:read",
    ),
)
DESK = (
    *(_side(one, "/desk", "Any", "staffKey", "subscriptions") for one in _BOTH),
    Operation(
        "post",
        f"/desk{_ONE}/activate",
        "activateService",
        "Say that a service works",
        shapes.ServiceAnswer,
        (401, 403, *CHANGE),
        takes=shapes.ActivateWish,
        has_key=True,
        token="staffKey",
        scope="subscriptions:write",
    ),
    Operation(
        "post",
        "/desk/usage",
        "recordUsage",
        "Tell what was used, all of it or none",
        shapes.UsageTaken,
        (401, 403, *BODY, 404, 409),
        takes=shapes.UsageBatch,
        token="staffKey",
        scope="usage:write",
    ),
    Operation(
        "get",
        "/desk/accounts/{account_number}/may-use/{feature}",
        "mayUse",
        "May an account use this?",
        shapes.EntitlementAnswer,
        _SEEN,
        token="staffKey",
        scope="subscriptions:read",
    ),
)
_WISH = "/desk/provisioning"
PROVISIONING = (
    Operation("get", _WISH, "listProvisioning", "List services that a system begins",
              provisioning.ProvisioningPage, (401, 403, 422, 429),
              query=provisioning.ProvisioningQuery, token="staffKey", scope="subscriptions:read"),
    Operation("get", f"{_WISH}/{{provisioning_id}}", "showProvisioning", "Show one of them",
              provisioning.ProvisioningAnswer, (401, 403, 404, 429), token="staffKey",
              scope="subscriptions:read"),
    Operation("post", f"{_WISH}/{{provisioning_id}}/try-again", "tryProvisioningAgain",
              "Ask the system once more", provisioning.ProvisioningAnswer, (401, 403, *CHANGE),
              takes=Nothing, takes_nothing_too=True, has_key=True, token="staffKey",
              scope="subscriptions:write"),
    Operation("post", f"{_WISH}/{{provisioning_id}}/done", "provisionByHand",
              "Say that it was begun by hand", provisioning.ProvisioningAnswer,
              (401, 403, *CHANGE), takes=provisioning.DoneWish, has_key=True, token="staffKey",
              scope="subscriptions:write"),
)  # fmt: skip
