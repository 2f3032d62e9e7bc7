"""Errors as the API tells them: a status and an ``error`` object of Stripe's shape."""

from typing import Any


class ApiError(Exception):
    """One refused request.

    ``stored`` says whether the answer is kept under the request's idempotency key: a request that
    never began (its parameters are wrong) is not, one that ran and was refused is. ``happened`` says
    that what was written on the way stays: a card that was tried and declined was tried.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type_: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        stored: bool = False,
        headers: dict[str, str] | None = None,
        happened: bool = False,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_
        self.code = code
        self.param = param
        self.message = message
        self.stored = stored
        self.headers = headers or {}
        self.happened = happened
        self.more = more or {}

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        error |= self.more
        return {"error": error}


def missing_object(what: str, object_id: str) -> ApiError:
    return ApiError(
        f"No such {what}: '{object_id}'", status=404, code="resource_missing", param="id"
    )
