"""What customers' tokens and the desk's keys can ask about quotes."""

from pydantic import BaseModel

from api import quote_shapes as shapes
from api.operation import CHANGE, Operation
from api.shapes import Nothing

_SEEN = (401, 403, 404, 429)
_DONE = (401, 403, *CHANGE)
_OWN, _ANY = "/account/quotes", "/desk/quotes"


def _post(
    path: str,
    name: str,
    summary: str,
    takes: type[BaseModel],
    token: str,
    *more: int,
    answers: type[BaseModel] = shapes.QuoteAnswer,
    status: int = 200,
) -> Operation:
    return Operation(
        "post",
        path,
        name,
        summary,
        answers,
        (*_DONE, *more),
        status=status,
        takes=takes,
        takes_nothing_too=takes is Nothing,
        has_key=True,
        token=token,
        scope="quotes:write",
        gives_location=status == 201 and not path.endswith("/messages"),
    )


CUSTOMERS = (
    Operation(
        "get",
        _OWN,
        "listOwnQuotes",
        "List your quotes, the newest first",
        shapes.QuotePage,
        (401, 403, 422, 429),
        query=shapes.QuoteQuery,
        token="userToken",
        scope="quotes:read",
    ),
    Operation(
        "get",
        f"{_OWN}/{{quote_id}}",
        "showOwnQuote",
        "Show a quote with its versions and messages",
        shapes.QuoteAnswer,
        _SEEN,
        token="userToken",
        scope="quotes:read",
    ),
    _post(_OWN, "askQuote", "Ask for a quote", shapes.QuoteAsk, "userToken", status=201),
    _post(
        f"{_OWN}/{{quote_id}}/accept",
        "acceptQuote",
        "Accept a version: it becomes one order at exactly those prices",
        shapes.QuoteAccept,
        "userToken",
        503,
        answers=shapes.AcceptedAnswer,
        status=201,
    ),
    _post(
        f"{_OWN}/{{quote_id}}/decline",
        "declineQuote",
        "Decline a version",
        shapes.QuoteDecline,
        "userToken",
        503,
    ),
    _post(
        f"{_OWN}/{{quote_id}}/messages",
        "writeOwnQuote",
        "Ask back",
        shapes.QuoteWrite,
        "userToken",
        status=201,
    ),
)
DESK = (
    Operation(
        "get",
        _ANY,
        "listAnyQuotes",
        "List quotes, the last asked for first",
        shapes.QuotePage,
        (401, 403, 422, 429),
        query=shapes.DeskQuoteQuery,
        token="staffKey",
        scope="quotes:read",
    ),
    Operation(
        "get",
        f"{_ANY}/{{quote_id}}",
        "showAnyQuote",
        "Show a quote as staff see it",
        shapes.QuoteAnswer,
        _SEEN,
        token="staffKey",
        scope="quotes:read",
    ),
    _post(_ANY, "beginQuote", "Begin a quote", shapes.QuoteBegin, "staffKey", status=201),
    *(
        _post(f"{_ANY}/{{quote_id}}/{verb}", name, summary, takes, "staffKey", *more)
        for verb, name, summary, takes, more in (
            ("draft", "draftQuote", "Write the version in the making", shapes.DraftWish, ()),
            ("versions", "versionQuote", "Begin the next version", Nothing, ()),
            (
                "approval",
                "approvalQuote",
                "Ask for a second person's word",
                shapes.ApprovalWish,
                (503,),
            ),
            ("decision", "decideQuote", "Give that word", shapes.Decision, ()),
            ("send", "sendQuote", "Freeze it, hold its stock, mail it", shapes.OfRevision, (503,)),
            ("withdraw", "withdrawQuote", "Take a quote back", shapes.Withdrawal, ()),
            ("messages", "writeAnyQuote", "Write to the customer", shapes.QuoteWrite, ()),
        )
    ),
)
