"""What the desk's keys can ask about bill runs and parked accounts."""

from api import billing_shapes as shapes
from api.operation import CHANGE, Operation

_SEEN = (401, 403, 404, 429)
_LIST = (401, 403, 422, 429)
_KEY = "staffKey"

DESK = (
    Operation(
        "get",
        "/desk/bill-runs",
        "listBillRuns",
        "List bill runs, the last first",
        shapes.RunPage,
        _LIST,
        query=shapes.RunQuery,
        token=_KEY,
        scope="billing:read",
    ),
    Operation(
        "get",
        "/desk/bill-runs/{run_id}",
        "showBillRun",
        "How far a bill run is, and what it came to",
        shapes.RunAnswer,
        _SEEN,
        token=_KEY,
        scope="billing:read",
    ),
    Operation(
        "post",
        "/desk/bill-runs",
        "startBillRun",
        "Begin a bill run, or a preview of one",
        shapes.RunAnswer,
        (401, 403, *CHANGE),
        status=202,
        takes=shapes.RunWish,
        has_key=True,
        token=_KEY,
        scope="billing:run",
        gives_location=True,
    ),
    Operation(
        "get",
        "/desk/parked-accounts",
        "listParkedAccounts",
        "List accounts that are not billed until a person has looked",
        shapes.ParkedPage,
        _LIST,
        query=shapes.RunQuery,
        token=_KEY,
        scope="billing:read",
    ),
    Operation(
        "post",
        "/desk/parked-accounts/{parking_id}/release",
        "releaseAccount",
        "Let a parked account be billed again",
        shapes.ReleasedAnswer,
        (401, 403, *CHANGE),
        takes=shapes.Release,
        token=_KEY,
        scope="billing:run",
    ),
)
