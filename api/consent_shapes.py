"""What the API says of consents that were given freely, and takes to take one back."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.shapes import Shape, text_of


class WithdrawWish(Shape):
    """What an account takes back that it agreed to."""

    account: Annotated[str, text_of(20, 1)] = Field(description="Its number.")
    code: Annotated[str, text_of(40, 1)]


class Agreement(Shape):
    """What an account agreed to last under a code."""

    account: str
    code: str
    version: int
    text: str
    given_at: datetime
    withdrawn_at: datetime | None = Field(description="When it was taken back; null: it holds.")


class AgreementList(Shape):
    """By account and code."""

    items: list[Agreement]
