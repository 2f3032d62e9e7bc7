"""What a checkout answers beside who, where and how: numbers, terms, consents; and claiming it later."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from cart import agreed, consents
from cart.checkout import CheckoutIncomplete
from cart.models import Consent, ConsentWithdrawal
from core.kernel.clock import ManualClock
from core.kernel.errors import Invalid, NotFound
from core.orders.models import Order
from core.parties import accounts, users
from core.parties.accounts import NewAccount
from core.parties.models import Account, Channel, LegalEntity, Membership, User
from flows import claim_order, keep_consents, keep_customer, phone_order, withdraw_consent
from flows.claim_order import HasOwner, NotVerified, OtherEmail
from flows.house import House
from flows.issue_invoice import for_order
from flows.place_order import Placed, place
from invoices.document import InvoiceDocument
from invoices.models import Invoice
from tests.paying import fill_cart, wish
from tests.world import ADDRESS, World


def order(house: House, world: World, **answers: Any) -> Placed:
    """An order by bill with these answers."""
    asked = wish(fill_cart(house, world.visit.sku), "invoice")
    return place(house, replace(asked, details=replace(asked.details, **answers), ip="203.0.113.7"))


def test_a_business_finds_its_numbers_on_order_and_bill(house: House, world: World):
    placed = order(house, world, purchase_order="PO-4711", cost_centre="Mill Lane")
    with house.db.transaction() as session:
        row = session.get_one(Order, placed.order_id)
        assert (row.purchase_order, row.cost_centre) == ("PO-4711", "Mill Lane")
        for_order(session, house, placed.order_id)
    with house.db.reading() as session:
        bill = session.scalars(select(Invoice).where(Invoice.order_id == placed.order_id)).one()
        document = InvoiceDocument.from_dict(bill.document)
    assert (document.purchase_order, document.cost_centre) == ("PO-4711", "Mill Lane")


def test_what_is_required_is_ticked_in_its_present_words_and_kept_as_it_stood(
    house: House, world: World
):
    keep_consents.put(house, "terms", "stated", "Ordering agrees to the terms.", "/terms", "test")
    keep_consents.put(house, "age", "required", "I am of age.", "", "test")
    keep_consents.put(house, "news", "optional", "Write to me.", "", "test")
    assert keep_consents.put(house, "age", "required", "I am 18 or older.", "", "test") == 2
    for given in ({}, {"age": 1}, {"news": 1}):
        with pytest.raises(CheckoutIncomplete) as refused:
            order(house, world, consents=given)
        (one,) = refused.value.requirements
        assert (one.code, one.field) == ("consent", "consents.age")
    placed = order(house, world, consents={"age": 2, "news": 7})
    with house.db.reading() as session:
        agreed = consents.of_order(session, session.get_one(Order, placed.order_id))
        told = [(one.code, one.version, one.text, one.ip) for one in agreed]
        asked = consents.asked(session, session.get_one(Channel, world.channel_id))
    assert told == [
        ("age", 2, "I am 18 or older.", "203.0.113.7"),
        ("terms", 1, "Ordering agrees to the terms.", "203.0.113.7"),
    ]
    assert [(one.code, one.version) for one in asked] == [("terms", 1), ("age", 2), ("news", 1)]
    with pytest.raises(DBAPIError), house.db.transaction() as session:
        session.execute(delete(Consent))
    keep_consents.end(house, "age", "test")
    assert order(house, world).public_id


def test_a_guests_order_is_claimed_by_verified_address_and_token_alone(house: House, world: World):
    placed = order(house, world, email="Ash@Example.com")
    now, token = house.clock.now(), house.links.order_token(placed.public_id)
    with house.db.transaction() as session:
        ash = users.add(session, "ash@example.com", "Ash Vale", "-", now)
        other = users.add(session, "june@example.com", "June Alder", "-", now)
        assert ash is not None
        assert other is not None
        other.email_verified_at = now
        keys = ash.id, other.id
    mine, theirs = keys
    with pytest.raises(NotVerified):
        claim_order.claim(house, mine, placed.public_id, token)
    with pytest.raises(OtherEmail):
        claim_order.claim(house, theirs, placed.public_id, token)
    with house.db.transaction() as session:
        session.get_one(User, mine).email_verified_at = now
    with pytest.raises(NotFound):
        claim_order.claim(house, mine, placed.public_id, "0" * 32)
    for _ in range(2):
        claim_order.claim(house, mine, placed.public_id, token)
    with house.db.transaction() as session:
        payer = session.get_one(Order, placed.order_id).payer_account_id
        owners = session.scalars(
            select(Membership.user_id).where(Membership.account_id == payer)
        ).all()
        assert owners == [mine]
        session.get_one(User, theirs).email = "ash@example.org"
        session.flush()
        session.get_one(Order, placed.order_id).email = "ash@example.org"
    with pytest.raises(HasOwner):
        claim_order.claim(house, theirs, placed.public_id, token)


def _member(house: House, world: World, email: str) -> tuple[uuid.UUID, Account]:
    """Somebody who owns an organisation's account, with its address confirmed."""
    now = house.clock.now()
    with house.db.transaction() as session:
        who = users.add(session, email, "Ash Vale", "-", now)
        channel = session.get_one(Channel, world.channel_id)
        entity = session.get_one(LegalEntity, world.legal_entity_id)
        assert who is not None
        new = NewAccount("Vale Mills", email, dict(ADDRESS), "organisation")
        account = accounts.open_account(session, entity, channel, new, now)
        accounts.join(session, who.id, account.id, "owner", now)
        return who.id, account


def test_no_order_of_a_business_that_wants_its_own_number_goes_without_one(
    house: House, world: World
):
    user_id, account = _member(house, world, "ash@example.com")
    firm = keep_customer.Details("Vale Mills", "ash@example.com", "organisation")
    keep = replace(firm, needs_purchase_order=True)
    keep_customer.change(house, account.public_id, keep, "test")
    person = replace(keep, kind="person")
    with pytest.raises(Invalid):
        keep_customer.change(house, account.public_id, person, "test")
    keep_customer.change(house, account.public_id, firm, "test")  # says nothing of it
    asked = replace(wish(fill_cart(house, world.visit.sku), "invoice"), user_id=user_id)
    for number in ("", "  "):
        with pytest.raises(CheckoutIncomplete) as refused:
            place(house, replace(asked, details=replace(asked.details, purchase_order=number)))
        (one,) = refused.value.requirements
        assert (one.code, one.field) == ("purchase_order_needed", "purchase_order")
    placed = place(house, replace(asked, details=replace(asked.details, purchase_order="PO-1")))
    assert placed.order.purchase_order == "PO-1"
    phoned = phone_order.begin(house, account.public_id, world.visit.sku, 1, "user:kim")
    details = wish("", "invoice").details
    total = phone_order.see(house, phoned, details).priced.due_now
    with pytest.raises(CheckoutIncomplete):
        phone_order.order(house, phoned, details, total, "user:kim")
    numbered = replace(details, purchase_order="PO-2")
    done = phone_order.order(house, phoned, numbered, total, "user:kim")
    assert done.order.purchase_order == "PO-2"
    assert order(house, world).public_id  # nobody else is asked


def test_what_was_agreed_to_freely_is_taken_back_by_its_owner_and_both_stay_written(
    house: House, world: World
):
    user_id, account = _member(house, world, "ash@example.com")
    other, _ = _member(house, world, "june@example.com")
    keep_consents.put(house, "age", "required", "I am of age.", "", "test")
    keep_consents.put(house, "news", "optional", "Write to me.", "", "test")

    def agree(given: dict[str, int]) -> None:
        asked = replace(wish(fill_cart(house, world.visit.sku), "invoice"), user_id=user_id)
        place(house, replace(asked, details=replace(asked.details, consents=given)))
        pass_minute(house)

    def standing() -> list[tuple[str, int, bool]]:
        with house.db.reading() as session:
            found = agreed.of_accounts(session, [account.id])
        return [(one.code, one.version, one.stands) for one in found]

    agree({"age": 1})
    assert standing() == []
    agree({"age": 1, "news": 1})
    assert standing() == [("news", 1, True)]
    for who, code in ((other, "news"), (user_id, "age")):
        with pytest.raises(NotFound):
            withdraw_consent.withdraw(house, who, account.number, code, "203.0.113.7")
    for _ in range(2):
        withdraw_consent.withdraw(house, user_id, account.number, "news", "203.0.113.7")
        pass_minute(house)
    assert standing() == [("news", 1, False)]
    agree({"age": 1})  # an order without it does not bring it back
    assert standing() == [("news", 1, False)]
    keep_consents.put(house, "news", "optional", "Write to me now and then.", "", "test")
    agree({"age": 1, "news": 2})
    assert standing() == [("news", 2, True)]
    with house.db.reading() as session:
        (row,) = session.scalars(select(ConsentWithdrawal)).all()
    assert (row.code, row.version, row.ip) == ("news", 1, "203.0.113.7")
    assert row.withdrawn_by == f"user:{user_id}"
    with pytest.raises(DBAPIError), house.db.transaction() as session:
        session.execute(delete(ConsentWithdrawal))


def pass_minute(house: House) -> None:
    assert isinstance(house.clock, ManualClock)
    house.clock.advance(timedelta(minutes=1))
