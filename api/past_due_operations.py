"""What tokens and keys can ask about what is past due."""

from api import past_due_shapes as shapes
from api.operation import CHANGE, Operation

CUSTOMERS = (
    Operation(
        "get",
        "/account/past-due",
        "showPastDue",
        "What is past due on your accounts, and what comes of it",
        shapes.PastDueAnswer,
        (401, 403, 429),
        token="userToken",
        scope="billing:read",
    ),
    Operation(
        "post",
        "/account/past-due/{case_id}/promise",
        "promiseToPay",
        "Promise to pay what is past due by a day",
        shapes.CaseAnswer,
        (401, 403, *CHANGE),
        takes=shapes.PromiseWish,
        has_key=True,
        token="userToken",
        scope="billing:write",
    ),
)
DESK = (
    Operation(
        "get",
        "/desk/past-due",
        "listPastDue",
        "List accounts that are past due, the longest first",
        shapes.CasePage,
        (401, 403, 422, 429),
        query=shapes.CaseQuery,
        token="staffKey",
        scope="billing:read",
    ),
    Operation(
        "get",
        "/desk/past-due/{case_id}",
        "showPastDueCase",
        "One case with what was done",
        shapes.WholeCase,
        (401, 403, 404, 429),
        token="staffKey",
        scope="billing:read",
    ),
)
