"""What customers' tokens and the desk's keys can ask about cards, AutoPay and planned payments."""

from pydantic import BaseModel

from api import card_shapes as shapes
from api.operation import CHANGE, Operation
from api.shapes import Nothing

_SEEN = (401, 403, 404, 422, 429)
_DONE = (401, 403, *CHANGE, 503)
_PAYMENTS = "/account/scheduled-payments"


def _get(
    path: str,
    name: str,
    summary: str,
    answer: type[BaseModel],
    query: type[BaseModel] | None = None,
) -> Operation:
    return Operation(
        "get", path, name, summary, answer, _SEEN if query else (401, 403, 404, 429),
        query=query, token="userToken", scope="payments:read",
    )  # fmt: skip


def _post(
    path: str,
    name: str,
    summary: str,
    answer: type[BaseModel],
    takes: type[BaseModel] = Nothing,
    *,
    status: int = 200,
    has_key: bool = False,
    scope: str = "payments:write",
    gives_location: bool = False,
    optional: bool = False,
) -> Operation:
    return Operation(
        "post",
        path,
        name,
        summary,
        answer,
        _DONE,
        status=status,
        takes=takes,
        takes_nothing_too=optional or takes is Nothing,
        has_key=has_key,
        token="userToken",
        scope=scope,
        gives_location=gives_location,
    )


CUSTOMERS = (
    _get(
        "/account/cards", "listOwnCards", "The cards on file", shapes.CardList, shapes.AccountQuery
    ),
    _post(
        "/account/cards",
        "addCard",
        "Put a card on file",
        shapes.OffTo,
        shapes.CardWish,
        status=201,
        has_key=True,
    ),
    _post(
        "/account/cards/{card_id}/default",
        "makeCardFirst",
        "Offer this card first",
        shapes.CardAnswer,
    ),
    _post(
        "/account/cards/{card_id}/remove",
        "removeCard",
        "Take a card off file",
        shapes.CardAnswer,
    ),
    _post(
        "/account/cards/{card_id}/instead",
        "replaceCard",
        "Let another card take its place; what was declined is tried at once",
        shapes.OffTo,
        shapes.InsteadWish,
        has_key=True,
    ),
    _get(
        "/account/autopay",
        "showOwnAutoPay",
        "Is AutoPay on, and what it means with each card",
        shapes.AutoPayAnswer,
        shapes.AccountQuery,
    ),
    _post(
        "/account/autopay",
        "startAutoPay",
        "Turn AutoPay on, or go over to another card",
        shapes.AutoPayAnswer,
        shapes.AutoPayWish,
        has_key=True,
    ),
    _post(
        "/account/autopay/stop",
        "stopAutoPay",
        "Turn AutoPay off",
        shapes.AutoPayAnswer,
        shapes.OfAccount,
        optional=True,
    ),
    _get(
        _PAYMENTS,
        "listOwnScheduledPayments",
        "List planned, automatic and declined payments, the newest first",
        shapes.ScheduledPage,
        shapes.ScheduledQuery,
    ),
    _get(
        f"{_PAYMENTS}/{{payment_id}}",
        "showOwnScheduledPayment",
        "Show one with what was agreed and every try",
        shapes.ScheduledDetail,
    ),
    _post(
        f"{_PAYMENTS}/preview",
        "previewScheduledPayment",
        "What a plan would take, and what is agreed by it",
        shapes.PreviewedPlan,
        shapes.PlanWish,
        scope="payments:read",
    ),
    _post(
        _PAYMENTS,
        "schedulePayment",
        "Plan a payment for a day",
        shapes.ScheduledDetail,
        shapes.AgreedPlan,
        status=201,
        has_key=True,
        gives_location=True,
    ),
    _post(
        f"{_PAYMENTS}/{{payment_id}}/change",
        "changeScheduledPayment",
        "Another day, amount or card",
        shapes.ScheduledDetail,
        shapes.AgreedPlan,
        has_key=True,
    ),
    _post(
        f"{_PAYMENTS}/{{payment_id}}/cancel",
        "cancelScheduledPayment",
        "It is not made",
        shapes.ScheduledDetail,
    ),
    _post(
        f"{_PAYMENTS}/{{payment_id}}/try-again",
        "retryScheduledPayment",
        "Try a declined one again now, with the same card",
        shapes.ScheduledDetail,
    ),
)
DESK = (
    Operation(
        "get",
        "/desk/accounts/{account_number}/cards",
        "showCardsOfAccount",
        "An account's cards, AutoPay and waiting payments",
        shapes.WalletAnswer,
        (401, 403, 404, 429),
        token="staffKey",
        scope="payments:read",
    ),
    Operation(
        "get",
        "/desk/accounts/{account_number}/scheduled-payments",
        "listScheduledPaymentsOfAccount",
        "Planned, automatic and declined payments of an account",
        shapes.ScheduledPage,
        _SEEN,
        query=shapes.ScheduledQuery,
        token="staffKey",
        scope="payments:read",
    ),
)
