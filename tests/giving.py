"""Gift cards and credit in a test's shop: how they are sold, made and looked at."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.kernel.clock import local_date
from core.kernel.money import Money, to_micros
from core.ledger import gift_cards, gift_codes, tenders
from core.ledger.business import Receipt, receive_for_items
from core.ledger.chart import CASH
from core.ledger.tender_models import GiftCard
from core.parties import accounts
from core.parties.accounts import NewAccount
from core.parties.models import Account, Channel, LegalEntity
from core.prices.models import Price
from flows import issue_invoice
from flows.choose_tenders import usual
from flows.house import House
from flows.place_order import Placed, Wish, place
from tests.paying import CARD, come_back, fill_cart, wish
from tests.sandbox_process import SandboxProcess
from tests.world import ADDRESS, ZONE, World
from tests.world import user as make_user

GIFT_SKU = "FW-GIFT-50"


@dataclass(frozen=True)
class Member:
    """Somebody who can log in, with an account of their own."""

    user_id: uuid.UUID
    account_id: uuid.UUID


def sell_gift_cards(house: House, world: World) -> None:
    """Put a gift card of 50.00 on the shelf."""
    now = house.clock.now()

    def work(session: Session) -> None:
        product = Product(
            slug="gift-card", name="Gift card", picture="img/products/gift-card.svg", created_at=now
        )
        session.add(product)
        session.flush()
        variant = Variant(
            product_id=product.id,
            sku=GIFT_SKU,
            name="Gift card 50",
            kind="gift_card",
            tax_category="gift_card",
        )
        session.add(variant)
        session.flush()
        session.add(
            Price(
                price_list_id=world.price_list_id,
                variant_id=variant.id,
                unit_price_micros=to_micros("50.00"),
            )
        )

    house.db.run_tx(work)


def buy_gift_card(house: House, sandbox: SandboxProcess, world: World) -> tuple[str, Placed]:
    """Somebody buys a card of 50.00 by card; its code, and the order."""
    with house.db.reading() as session:
        known = session.scalar(select(Variant.id).where(Variant.sku == GIFT_SKU))
    if known is None:
        sell_gift_cards(house, world)
    placed = place(house, wish(fill_cart(house, GIFT_SKU), email="giver@example.com"))
    assert placed.redirect_url is not None
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    house.db.run_tx(lambda session: issue_invoice.for_order(session, house, placed.order_id))
    with house.db.reading() as session:
        (held,) = gift_cards.of_order(session, placed.order_id)
    return gift_codes.code_of(house.links.secret, held.card.public_id), placed


def member(house: House, *, credit_minor: int = 0, name: str = "Riley Moreno") -> Member:
    """A customer with an account, and credit if wanted."""
    now = house.clock.now()

    def work(session: Session) -> Member:
        channel = session.scalars(select(Channel)).one()
        entity = session.scalars(select(LegalEntity)).one()
        email = f"{name.lower().replace(' ', '.')}@example.com"
        user = make_user(session, now, email=email, name=name)
        own = accounts.open_account(
            session, entity, channel, NewAccount(name, email, dict(ADDRESS)), now
        )
        accounts.join(session, user.id, own.id, "owner", now)
        if credit_minor:
            give_credit(session, own, credit_minor, house)
        return Member(user.id, own.id)

    return house.db.run_tx(work)


def give_credit(session: Session, account: Account, minor: int, house: House) -> None:
    """A bank transfer that fitted nowhere."""
    now = house.clock.now()
    receipt = Receipt(
        payment_id=uuid.uuid4(),
        legal_entity_id=account.legal_entity_id,
        account_id=account.id,
        number="T-1",
        amount=Money(minor, "USD"),
        received_on=local_date(now, ZONE),
        through=CASH,
        source_kind="transfer",
    )
    receive_for_items(session, receipt, [], now)


def wish_with(
    house: House,
    *skus: str,
    codes: tuple[str, ...] = (),
    who: Member | None = None,
    use_credit: bool = False,
    method: str = "card",
    cart_id: str | None = None,
) -> Wish:
    """An order of these goods, paid with gift cards and credit as far as they go."""
    plain = wish(cart_id or fill_cart(house, *skus), method)
    return Wish(
        plain.cart_id,
        plain.details,
        user_id=who.user_id if who else None,
        paying=usual(codes, use_credit=use_credit),
    )


def balance(house: House, code: str) -> tuple[int, int]:
    """(on the card, of it reserved)."""
    with house.db.reading() as session:
        card = session.scalars(
            select(GiftCard).where(GiftCard.code_hash == gift_codes.hash_of(code))
        ).one()
        (held,) = gift_cards.held(session, [card])
    return held.balance.minor, held.reserved.minor


def credit_left(house: House, who: Member) -> int:
    """What of the account's credit can still be used."""
    with house.db.reading() as session:
        found = tenders.spendable(session, who.account_id, "USD")
    return sum(row.available.minor for row in found)


def new_card(stage: Any) -> str:
    """The code of a card of 50.00 that somebody has just bought in a stage's shop."""
    return gift_codes.code_of(stage.house.links.secret, new_card_id(stage))


def new_card_id(stage: Any) -> str:
    """The public id of such a card."""
    if stage.rows(Variant, Variant.sku == GIFT_SKU) == []:
        sell_gift_cards(stage.house, stage.world)
    order = stage.begin_to_pay(GIFT_SKU)
    stage.pay(stage.operation_of(order))
    stage.drain()
    with stage.db.reading() as session:
        (held,) = gift_cards.of_order(session, order.id)
    return str(held.card.public_id)
