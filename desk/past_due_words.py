"""What happens to who is past due, in the desk's words."""

from payments.dunning.models import DunningCase

STEPS = {
    "fee": "Late fee",
    "lock": "Services are locked",
    "rest_ends": "The rest is over",
    "payment": "A card is charged by itself",
    **{
        f"reminder-{number}": f"{word} reminder"
        for number, word in enumerate(
            (
                *("First", "Second", "Third", "Fourth", "Fifth"),
                *("Sixth", "Seventh", "Eighth", "Ninth"),
            ),
            start=1,
        )
    },
}
ACTS = {
    "opened": "Something is past due",
    "reminded": "Reminded by hand",
    "passed_over": "Left out, a later one was due",
    "fee": "A late fee was charged",
    "fee_waived": "The late fee was taken back",
    "locked": "Services were locked",
    "unlocked": "Services are on again",
    "promised": "Promised to pay",
    "promise_broken": "The promise was not kept",
    "promise_kept": "The promise was kept",
    "promise_ended": "The promise was ended by us",
    "held": "Held by us",
    "released": "The hold is over",
    "closed": "Nothing is past due any more",
}


def step_words(case: DunningCase) -> str:
    """What comes next."""
    if case.state == "closed":
        return "nothing"
    return STEPS.get(case.next_step, "nothing by itself")
