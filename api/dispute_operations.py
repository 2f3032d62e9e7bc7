"""What customers' tokens and the desk's keys can ask about disputes."""

from pydantic import BaseModel

from api import dispute_shapes as shapes
from api.operation import CHANGE, Operation
from api.shapes import Nothing

_SEEN = (401, 403, 404, 429)
_DONE = (401, 403, *CHANGE)
_OWN, _ANY = "/account/disputes", "/desk/disputes"


def _get(path: str, name: str, summary: str, answers: type[BaseModel], token: str) -> Operation:
    return Operation("get", path, name, summary, answers, _SEEN, token=token, scope="disputes:read")


def _list(path: str, name: str, summary: str, query: type[BaseModel], token: str) -> Operation:
    return Operation(
        "get",
        path,
        name,
        summary,
        shapes.DisputePage,
        (401, 403, 422, 429),
        query=query,
        token=token,
        scope="disputes:read",
    )


def _post(
    path: str, name: str, summary: str, takes: type[BaseModel], token: str, status: int = 200
) -> Operation:
    return Operation(
        "post",
        path,
        name,
        summary,
        shapes.DisputeAnswer,
        _DONE,
        status=status,
        takes=takes,
        takes_nothing_too=takes is Nothing,
        has_key=True,
        token=token,
        scope="disputes:write",
        gives_location=status == 201 and not path.endswith("/messages"),
    )


CUSTOMERS = (
    _list(_OWN, "listOwnDisputes", "List your disputes, the newest first", shapes.DisputeQuery,
          "userToken"),
    _get(f"{_OWN}/{{dispute_id}}", "showOwnDispute", "Show a dispute with its messages",
         shapes.DisputeAnswer, "userToken"),
    _get(f"{_OWN}/{{dispute_id}}/pictures/{{picture_id}}", "showOwnDisputePicture",
         "A picture of it", shapes.DisputePictureData, "userToken"),
    _post(_OWN, "openDispute", "Dispute a line of a bill", shapes.DisputeOpen, "userToken", 201),
    _post(f"{_OWN}/{{dispute_id}}/messages", "writeOwnDispute", "Add something, with pictures",
          shapes.DisputeWrite, "userToken", 201),
    _post(f"{_OWN}/{{dispute_id}}/withdraw", "withdrawDispute", "Take it back", Nothing,
          "userToken"),
    _post(f"{_OWN}/{{dispute_id}}/refund", "refundDispute",
          "Have the credit back instead of keeping it", Nothing, "userToken"),
)  # fmt: skip
DESK = (
    _list(_ANY, "listAnyDisputes", "List disputes, the last opened first",
          shapes.DeskDisputeQuery, "staffKey"),
    _get(f"{_ANY}/{{dispute_id}}", "showAnyDispute", "Show a dispute as staff see it",
         shapes.DisputeAnswer, "staffKey"),
    _get(f"{_ANY}/{{dispute_id}}/pictures/{{picture_id}}", "showAnyDisputePicture",
         "A picture of it", shapes.DisputePictureData, "staffKey"),
    _post(f"{_ANY}/{{dispute_id}}/messages", "writeAnyDispute", "Write to the customer",
          shapes.DisputeWrite, "staffKey", 201),
    _post(f"{_ANY}/{{dispute_id}}/decision", "decideDispute",
          "Answer it; over the limit a second person is asked", shapes.DisputeAnswerWish,
          "staffKey"),
    _post(f"{_ANY}/{{dispute_id}}/second", "secondDispute", "Agree as the second person, or not",
          shapes.DisputeSecond, "staffKey"),
)  # fmt: skip
