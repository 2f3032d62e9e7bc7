"""The test cards, and what each of them does. No other number is ever accepted."""

import hashlib
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Decline:
    """``code`` and ``decline_code`` as the API tells them; ``words`` as the payer reads them."""

    code: str
    decline_code: str
    words: str


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
WRONG_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
REAL_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. This is a test page and this is not one of its test cards.",
)
SETUP_NOT_AUTHENTICATED = Decline(
    "setup_intent_authentication_failure",
    "authentication_required",
    "Your bank could not confirm that it is you. Try again, or use another card.",
)
ASK_OWNER = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    "authentication_required",
    "Your bank could not confirm that it is you. Try again, or use another card.",
)


@dataclass(frozen=True)
class TestCard:
    """A number of the list: how the bank behaves, and how a refund to it ends."""

    number: str
    brand: str
    does: str
    decline: Decline | None = None
    challenge: bool = False
    refund: str = "succeeded"
    shown: bool = True
    #: Does its owner's bank take every payment back, as soon as it is made?
    disputed: bool = False
    #: What its bank says when it is charged from file; None: it pays.
    on_file: Decline | None = None
    #: Is it among the cards that a page shows which puts one on file?
    shown_for_file: bool = False

    def charged_from_file(self, decline: Decline | None) -> "TestCard":
        """This card as a charge without its owner meets it: nobody is there to be asked."""
        return replace(self, decline=decline, challenge=False)

    @property
    def does_on_file(self) -> str:
        """What happens when it is put on file, and when it is charged from there."""
        if self.decline is not None:
            return "is refused"
        later = {None: "pays", ASK_OWNER: "its bank wants you"}.get(self.on_file, "is declined")
        return f"{'asks the bank first, then ' if self.challenge else ''}is saved; later {later}"

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def grouped(self) -> str:
        if self.brand == "amex":
            return f"{self.number[:4]} {self.number[4:10]} {self.number[10:]}"
        return " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))

    @property
    def cvc(self) -> str:
        return "1234" if self.brand == "amex" else "123"

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


CARDS = (
    TestCard("4242424242424242", "visa", "pays", shown_for_file=True),
    TestCard("5555555555554444", "mastercard", "pays", shown_for_file=True),
    TestCard("378282246310005", "amex", "pays", shown=False),
    TestCard("4000000000000002", "visa", "is declined", decline=GENERIC, shown_for_file=True),
    TestCard("4000000000009995", "visa", "has too little money on it", decline=INSUFFICIENT),
    TestCard("4000000000000069", "visa", "has expired", decline=EXPIRED),
    TestCard("4000000000000127", "visa", "has another security code", WRONG_CVC, shown=False),
    TestCard("4000000000000119", "visa", "meets a processing error", PROCESSING, shown=False),
    TestCard("4000000000009987", "visa", "was reported lost", decline=LOST, shown=False),
    TestCard(
        "4000002760003184",
        "visa",
        "asks the bank first, then pays",
        challenge=True,
        shown_for_file=True,
        on_file=ASK_OWNER,
    ),
    TestCard(
        "4000002500003155",
        "visa",
        "asks the bank first",
        challenge=True,
        shown=False,
        shown_for_file=True,
    ),
    TestCard(
        "4000000000000341",
        "visa",
        "pays, but not from file",
        shown=False,
        shown_for_file=True,
        on_file=GENERIC,
    ),
    TestCard(
        "4000008260003178",
        "visa",
        "asks the bank first",
        challenge=True,
        shown=False,
        shown_for_file=True,
        on_file=INSUFFICIENT,
    ),
    TestCard(
        "4000008400001629", "visa", "asks the bank first, then is declined", GENERIC, challenge=True
    ),
    TestCard("4000000000000259", "visa", "pays, then its bank takes it back", disputed=True),
    TestCard("4000000000007726", "visa", "is refunded later", refund="pending", shown=False),
    TestCard("4000000000005126", "visa", "fails its refund later", refund="failed", shown=False),
)
_BY_NUMBER = {card.number: card for card in CARDS}
SHOWN = tuple(card for card in CARDS if card.shown)
SHOWN_FOR_FILE = tuple(card for card in CARDS if card.shown_for_file)


def find(number: str) -> TestCard | None:
    return _BY_NUMBER.get(number)


def by_fingerprint(fingerprint: str) -> TestCard:
    return next(card for card in CARDS if card.fingerprint == fingerprint)


def digits_of(entered: str) -> str:
    """The digits of a number as people type it, or an empty text when it holds anything else."""
    bare = entered.replace(" ", "").replace("-", "")
    return bare if bare.isascii() and bare.isdigit() else ""


def brand_of(number: str) -> str:
    if number.startswith(("34", "37")):
        return "amex"
    if number.startswith("5"):
        return "mastercard"
    return "discover" if number.startswith("6") else "visa"


def passes_check(number: str) -> bool:
    """The right length, and the check digit of a card number (Luhn)."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return len(number) == (15 if brand_of(number) == "amex" else 16) and total % 10 == 0
