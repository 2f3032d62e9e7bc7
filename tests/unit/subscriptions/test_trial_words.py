"""The words before a trial begins name every date and amount."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from core.kernel.money import Money, to_micros
from core.notices.figures import figures
from core.subscriptions import trial_dates, trial_words
from core.subscriptions.trial_words import Cost, Usage

SAY = figures("en_US")
DATES = trial_dates.plan(date(2026, 11, 29), 30, 7, [3])
COST = Cost(Money(900, "USD"), Money(959, "USD"), "month")


def test_a_trial_with_a_card_names_the_day_and_the_amount_of_the_charge():
    said = trial_words.sentences(trial_words.of_days("card", "Burrow", DATES, COST, SAY))
    assert said == [
        "Today, November 29, 2026: Your card is stored with our payment partner. Nothing is charged.",
        "For 30 days, until Monday, December 28, 2026: Burrow is yours to use, all of it, and costs nothing.",
        "Tuesday, December 22, 2026: We write to you: how much it will be, when, and a link that "
        "cancels.",
        "From December 29, 2026: Your card is charged for the first month: $9.59 with tax. The same "
        "again each month, until you cancel.",
        "To cancel: One click in any of our mails, or in your account. Until Monday, December 28, 2026 "
        "that costs nothing, and you keep the days that are left.",
    ]


def test_a_trial_without_a_card_says_that_it_ends_by_itself():
    said = " ".join(
        trial_words.sentences(trial_words.of_days("no_card", "Burrow", DATES, COST, SAY))
    )
    assert "We ask for no card" in said
    assert "It ends by itself, and nothing is charged" in said
    assert "$9.59 with tax, each month, from this day" in said
    assert "A person may write or call" in said


def test_an_amount_is_about_until_the_address_is_known():
    assert trial_words.amount(replace(COST, total=None), SAY) == (
        "about $9.00, plus the tax of your address"
    )
    assert trial_words.amount(replace(COST, total=COST.net), SAY) == "$9.00 with no tax"
    inclusive = replace(COST, total=COST.net, included=True)
    assert trial_words.amount(inclusive, SAY) == "$9.00 with tax"


def test_longer_periods_are_named():
    assert Cost(COST.net, None, "year").every == "each year"
    assert Cost(COST.net, None, "month", 3).every == "every 3 months"
    assert Cost(COST.net, None, "month", 3).period == "3 months"


def test_a_free_tier_names_every_step_of_its_price():
    tiers: list[list[object]] = [["95", 0, to_micros("2.00")], [None, to_micros("0.02"), 0]]
    usage = Usage(Decimal(5), "GB", "USD", trial_words.ranges(Decimal(5), tiers))
    said = trial_words.sentences(
        trial_words.of_free_tier("Burrow small", date(2026, 11, 29), usage, "Tax is added.", SAY)
    )
    assert "Above 5 GB, up to 100 GB: $2.00 for the month." in said
    assert "Above 100 GB: On top of that $0.02 for each GB of these." in said
    assert any(one.startswith("Up to 5 GB: Burrow small costs nothing") for one in said)
    assert any("only when it is above zero. Tax is added." in one for one in said)


def test_a_price_finer_than_the_currency_is_told_for_a_hundred():
    tiers = [[None, to_micros("0.0005"), 0]]
    usage = Usage(Decimal(0), "GB", "USD", trial_words.ranges(Decimal(0), tiers))
    steps = trial_words.of_free_tier("Burrow", date(2026, 11, 29), usage, "", SAY)
    assert any("$0.05 for each 100 GB of these" in step.text for step in steps)


def test_other_words_have_another_fingerprint():
    one = trial_words.of_days("card", "Burrow", DATES, COST, SAY)
    dearer = replace(COST, total=Money(960, "USD"))
    other = trial_words.of_days("card", "Burrow", DATES, dearer, SAY)
    assert trial_words.fingerprint(one) == trial_words.fingerprint(one)
    assert trial_words.fingerprint(one) != trial_words.fingerprint(other)
