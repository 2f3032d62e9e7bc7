"""Whether and when a card that was declined is tried again: by the bank's code, and by a schedule. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

#: The bank will not change its mind about this card: trying again costs trust, and fees.
HARD = frozenset(
    {
        "lost_card",
        "stolen_card",
        "pickup_card",
        "expired_card",
        "restricted_card",
        "invalid_account",
        "invalid_number",
        "incorrect_number",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "incorrect_cvc",
        "invalid_cvc",
        "card_not_supported",
        "currency_not_supported",
        "transaction_not_allowed",
        "service_not_allowed",
        "not_permitted",
        "security_violation",
        "fraudulent",
        "merchant_blacklist",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "stop_payment_order",
        "no_account",
        "do_not_try_again",
        "new_account_information_available",
        # ours
        "method_detached",
        "method_expired",
    }
)
#: The bank wants its customer, who is not there when a card on file is charged.
ASKS_THE_CUSTOMER = frozenset({"authentication_required", "authentication_not_handled"})
#: Nobody knows whether money was taken, or something is wrong on our side: a person looks first.
OURS = frozenset(
    {"no_answer", "not_authorised", "invalid_request", "amount_too_small", "amount_too_large"}
)


@dataclass(frozen=True)
class Verdict:
    """What becomes of a payment after a decline: ``state``, and for ``retrying`` how long until then."""

    state: str
    after: timedelta | None = None


def judge(code: str, tries: int, days: Sequence[int]) -> Verdict:
    """What a decline means. ``tries`` counts those that failed, this one included; ``days`` is the schedule:
    how many days after each try the next one is made. A code that is not known is a soft one."""
    if code in HARD or code in ASKS_THE_CUSTOMER:
        return Verdict("waiting")
    if code in OURS or tries > len(days):
        return Verdict("failed")
    return Verdict("retrying", timedelta(days=days[tries - 1]))
