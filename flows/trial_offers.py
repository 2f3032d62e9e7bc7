"""What trials are offered, as a page tells them before one begins: dates, amounts with tax, and words.

Reads only. Called by the shop's pages, and by ``flows.start_trial``, which begins a trial only under the
very words that were shown.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from cart import address as addresses
from core.catalog.models import Variant
from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.kernel.money import Money, extend
from core.notices.figures import figures
from core.parties import accounts
from core.parties.models import Account, Channel, LegalEntity
from core.prices import plans, resolve
from core.prices.resolve import NoPrice, Resolved
from core.subscriptions import trial_claims, trial_dates, trial_reading, trial_words, trials
from core.subscriptions.models import SubscriptionPhase
from core.subscriptions.trial_dates import Dates
from core.subscriptions.trial_models import FREE_TIER, Trial
from core.subscriptions.trial_reading import Offered
from core.subscriptions.trial_words import Cost, Step, Usage
from core.tax import buyers, rates
from core.tax.relief import relieve
from core.tax.service import Answers, AskedLine, NoTaxAnswer, Place, Question
from flows import taxing
from flows.house import House


@dataclass(frozen=True)
class ShownOffer:
    """An offer as somebody is told it today. ``dates`` and ``cost`` are None for a free tier, which has
    ``usage`` instead."""

    offered: Offered
    family: str
    price: Resolved
    today: date
    dates: Dates | None
    cost: Cost | None
    usage: Usage | None
    steps: tuple[Step, ...]

    @property
    def room(self) -> str:
        """What is free of a free tier: ``5 GB``; else nothing."""
        return f"{trial_words.number(self.usage.free)} {self.usage.unit}" if self.usage else ""

    @property
    def fingerprint(self) -> str:
        """What proves that these are the words that were shown."""
        return trial_words.fingerprint(self.steps)


def show(house: House, code: str, account: Account | None) -> ShownOffer:
    """One offer as it is today, with taxes where the address is known. NotFound when it is not offered.

    Where taxes cannot be worked out now the amount is told without, and says so.
    """

    def read(answers: Answers | None) -> ShownOffer:
        with house.db.snapshot() as session:
            channel, entity = _seller(session, house)
            return of_code(session, house, code, channel, entity, account, answers)

    try:
        return taxing.with_taxes(house, read)
    except NoTaxAnswer:
        return read(None)


def _seller(session: Session, house: House) -> tuple[Channel, LegalEntity]:
    return accounts.channel_by_code(session, house.rules.channel)


def of_code(
    session: Session,
    house: House,
    code: str,
    channel: Channel,
    entity: LegalEntity,
    account: Account | None,
    answers: Answers | None,
) -> ShownOffer:
    """The same within a transaction; ``answers`` None: nobody works out taxes now."""
    found = trial_reading.offer(session, code)
    if not found.offer.is_active:
        raise NotFound("trial")
    return _shown(session, house, found, channel, entity, account, answers)


def _shown(
    session: Session,
    house: House,
    found: Offered,
    channel: Channel,
    entity: LegalEntity,
    account: Account | None,
    answers: Answers | None,
) -> ShownOffer:
    now, variant = house.clock.now(), found.variant
    today = local_date(now, account.time_zone if account is not None else channel.time_zone)
    say = figures((account.locale if account is not None else None) or channel.locale)
    plan = plans.of_variants(session, [variant.id]).get(variant.id)
    if plan is None:
        raise NoPrice(variant.sku)
    family = trial_claims.family_of(session, variant.id)
    if found.offer.kind == FREE_TIER:
        usage = _usage(session, found, channel.currency)
        tax = "" if channel.prices_include_tax else "Tax is added where it is due."
        steps = trial_words.of_free_tier(variant.name, today, usage, tax, say)
        trace = {"trial": found.offer.code}
        price = Resolved(0, channel.currency, plan.interval, plan.interval_count, trace)
        return ShownOffer(found, family, price, today, None, None, usage, steps)
    prices = resolve.prices(session, channel.id, channel.currency, {variant.id: 1}, now)
    if variant.id not in prices:
        raise NoPrice(variant.sku)
    price = prices[variant.id]
    net = price.unit_price
    total = (
        None
        if answers is None
        else _total(session, house, variant, channel, entity, account, net, answers)
    )
    if total is None and channel.prices_include_tax:
        total = net
    included = channel.prices_include_tax
    cost = Cost(net, total, plan.interval, plan.interval_count, included=included)
    dates = trial_dates.plan(
        today, found.offer.days or 0, found.offer.notice_days, found.offer.follow_up_days
    )
    steps = trial_words.of_days(found.offer.kind, variant.name, dates, cost, say)
    return ShownOffer(found, family, price, today, dates, cost, None, steps)


def _usage(session: Session, found: Offered, currency: str) -> Usage:
    counted = plans.meters(session, [found.variant.id], currency).get(found.variant.id, [])
    if not counted:
        raise NoPrice(found.variant.sku)
    meter, price = counted[0]
    free = Decimal(price.free)
    return Usage(free, meter.unit, currency, trial_words.ranges(free, price.tiers))


def cost_of(session: Session, house: House, trial: Trial, account: Account) -> Cost:
    """What follows a trial costs, at the price that was agreed, by our own table of taxes.

    That is the plan that is tried, unless another one was agreed to for the time after it.
    """
    channel, entity = accounts.channel_by_code(session, house.rules.channel)
    agreed = agreed_after(session, trial)
    variant = session.get_one(Variant, agreed.variant_id if agreed else trial.variant_id)
    price, pieces = (
        (agreed.unit_price_micros, agreed.quantity) if agreed else (trial.price_micros, 1)
    )
    net = extend(price, pieces, trial.currency)
    total = _total(session, house, variant, channel, entity, account, net, Answers())
    included = channel.prices_include_tax
    if total is None and included:
        total = net
    every = agreed or trial
    return Cost(net, total, every.interval, every.interval_count, included=included)


def agreed_after(session: Session, trial: Trial) -> SubscriptionPhase | None:
    """The phase that was agreed to for the time after a trial; None when there is none (yet)."""
    if trial.subscription_id is None:
        return None
    return trials.paid_phase(session, trial.subscription_id)


def _total(
    session: Session,
    house: House,
    variant: Variant,
    channel: Channel,
    entity: LegalEntity,
    account: Account | None,
    net: Money,
    answers: Answers,
) -> Money | None:
    """With the taxes of the account's address; None where it is not known."""
    where = account.billing_address if account is not None else None
    if not where or addresses.problems(addresses.clean(where)):
        return None
    today = local_date(house.clock.now(), entity.time_zone)
    included = channel.prices_include_tax
    table = rates.taxes_by_category(session, entity.id, where, today, included=included)
    buyer = buyers.read(session, taxing.known(house, account), today)
    taxes = relieve(table, buyer, entity.country, where).of(variant.tax_category)
    names = ("country", "region", "postal_code", "city")
    question = Question(
        seller=entity.code,
        seller_country=entity.country,
        currency=channel.currency,
        rounding=entity.tax_rounding,
        included=included,
        on=today,
        place=Place(*(str(where.get(name) or "") for name in names)),
        vat_id=buyer.vat_id,
        lines=(AskedLine(net.minor, variant.tax_category, taxes),),
    )
    (line,) = answers.of(question)
    return Money(line.net_minor + line.tax_minor, net.currency)


def offered(session: Session, currency: str, slug: str = "") -> list[tuple[Offered, str]]:
    """What can be tried now, of one product's page or at all, with what is free of a free tier: ``5 GB``."""
    found = trial_reading.offers(session, product_slug=slug or None, active=True)
    tiers = [one.variant.id for one in found if one.offer.kind == FREE_TIER]
    counted = plans.meters(session, tiers, currency) if tiers else {}
    rooms = {
        key: f"{trial_words.number(Decimal(rows[0][1].free))} {rows[0][0].unit}"
        for key, rows in counted.items()
    }
    return [(one, rooms.get(one.variant.id, "")) for one in found]
