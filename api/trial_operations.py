"""What customers' tokens can ask about trials, and the desk's keys about what can be tried."""

from api import trial_shapes as shapes
from api.operation import CHANGE, Operation
from api.shapes import Nothing

_SEEN = (401, 403, 404, 429)
_DONE = (401, 403, *CHANGE, 503)
_ONE = "/account/trials/{trial_id}"
_TOKEN = "userToken"

CUSTOMERS = (
    Operation(
        "get",
        "/account/trial-offers",
        "listTrialOffers",
        "What may be tried, with what happens when",
        shapes.OfferList,
        (401, 403, 429),
        token=_TOKEN,
        scope="services:read",
    ),
    Operation(
        "get",
        "/account/trials",
        "listOwnTrials",
        "List your trials, the newest first",
        shapes.TrialPage,
        (401, 403, 422, 429),
        query=shapes.TrialQuery,
        token=_TOKEN,
        scope="services:read",
    ),
    Operation(
        "get",
        _ONE,
        "showOwnTrial",
        "Show a trial",
        shapes.TrialAnswer,
        _SEEN,
        token=_TOKEN,
        scope="services:read",
    ),
    Operation(
        "post",
        "/account/trials",
        "beginTrial",
        "Begin a trial under the words that were shown",
        shapes.BegunAnswer,
        _DONE,
        status=201,
        takes=shapes.TrialBegin,
        has_key=True,
        token=_TOKEN,
        scope="services:write",
        gives_location=True,
    ),
    *(
        Operation(
            "post",
            f"{_ONE}/{verb}",
            f"{verb}Trial",
            summary,
            shapes.TrialAnswer,
            _DONE,
            takes=Nothing,
            takes_nothing_too=True,
            token=_TOKEN,
            scope="services:write",
        )
        for verb, summary in (
            ("cancel", "Cancel a trial: nothing is charged"),
            ("keep", "Take the cancellation back"),
        )
    ),
    Operation(
        "post",
        f"{_ONE}/go-on",
        "goOnTrial",
        "Pay for the plan, from the end of the trial or from today",
        shapes.TrialAnswer,
        _DONE,
        takes=shapes.TrialGoOn,
        has_key=True,
        token=_TOKEN,
        scope="services:write",
    ),
)
DESK = (
    Operation("get", "/desk/trial-offers", "listDeskTrialOffers",
              "List what can be tried, or could", shapes.DeskOfferList, (401, 403, 429),
              token="staffKey", scope="trials:read"),
    Operation("post", "/desk/trial-offers", "makeTrialOffer", "Offer a plan to be tried",
              shapes.DeskOffer, (401, 403, *CHANGE), status=201, takes=shapes.OfferWish,
              has_key=True, token="staffKey", scope="trials:write"),
    Operation("put", "/desk/trial-offers/{code}", "setTrialOffer",
              "Set an offer for whoever begins from now on", shapes.DeskOffer,
              (401, 403, *CHANGE), takes=shapes.OfferSet, token="staffKey",
              scope="trials:write"),
)  # fmt: skip
