"""One way to ask the API, as its description tells it."""

from dataclasses import dataclass, field

from pydantic import BaseModel

#: What may go wrong with any body; and with any body that changes something that is there.
BODY = (413, 415, 422, 429)
CHANGE = (*BODY, 404, 409)


@dataclass(frozen=True)
class Operation:
    """One way to ask: method, path, what goes in, what comes out, which problems there may be."""

    method: str
    path: str
    name: str
    summary: str
    answers: type[BaseModel] | None
    problems: tuple[int, ...]
    status: int = 200
    takes: type[BaseModel] | None = None
    #: The same as fields and files of a form.
    takes_form: type[BaseModel] | None = None
    takes_nothing_too: bool = False
    query: type[BaseModel] | None = None
    has_key: bool = False
    #: A key may come along, and does not have to.
    may_have_key: bool = False
    #: Answers with an ETag; what changes something takes If-Match.
    has_version: bool = False
    #: ``orderToken``, ``userToken`` or ``staffKey``.
    token: str = ""
    #: What the token must be good for.
    scope: str = ""
    gives_location: bool = False
    also: dict[int, str] = field(default_factory=dict)
