"""A payer of several service accounts has a section for each; an account is on one statement alone."""

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import business
from core.parties.models import Account
from invoices.models import Invoice, InvoiceLine
from invoices.proofs import statements as proofs
from invoices.statements import addressing
from tests.rooms.invoices.statements.telling import Telling, at_noon, dollars, read
from tests.rooms.ledger.books import document
from tests.world import World, account

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)


def firm(session: Session, world: World) -> tuple[Account, Account, Account]:
    """A firm that pays for a yard and a shop."""
    made = [
        account(session, world, at_noon(date(2026, 9, 1)), name=name, number=number)
        for name, number in (
            ("Pike & Daughters", "700300100"),
            ("The boatyard", "700300101"),
            ("The chandlery", "700300102"),
        )
    ]
    for child in made[1:]:
        child.parent_id = made[0].id
    session.flush()
    return made[0], made[1], made[2]


def billed(tell: Telling, payer: Account, service: Account, number: str, amount: Money) -> None:
    """An invoice to the payer for what a service account used."""
    issued = document(tell.world, payer.id, amount, on=tell.day, number=number)
    tell.session.add(
        Invoice(
            id=issued.id,
            legal_entity_id=tell.world.legal_entity_id,
            channel_id=tell.world.channel_id,
            currency=amount.currency,
            payer_account_id=payer.id,
            service_account_id=service.id,
            kind="invoice",
            series="invoice",
            number=number,
            issue_date=tell.day,
            due_date=tell.day + timedelta(days=14),
            issued_at=tell.now,
            net_minor=amount.minor,
            tax_minor=0,
            total_minor=amount.minor,
            document={},
        )
    )
    tell.session.flush()
    tell.session.add_all(
        InvoiceLine(
            invoice_id=issued.id,
            line_number=at,
            sku="FW",
            name=name,
            quantity="1",
            unit_price_micros=1,
            net_minor=0,
            tax_minor=0,
            ledger_code="contract_liability",
        )
        for at, name in enumerate(("River 100", "Phone line"), start=1)
    )
    business.charge(tell.session, issued, tell.now)


def sections(statement) -> dict[str, str]:
    return {one.account_number: str(one.change) for one in read(statement).sections}


def test_what_a_payer_is_billed_for_stands_by_service_account_with_one_total(
    db: Database, world: World
):
    with db.transaction() as session:
        payer, yard, shop = firm(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        billed(tell, payer, yard, "100001", dollars("90.00"))
        billed(tell, payer, shop, "100002", dollars("45.00"))
        billed(tell, payer, shop, "100003", dollars("5.00"))
        tell.pay(payer, dollars("20.00"))
        tell.day = NOVEMBER
        (made,) = tell.state(payer)
        told = read(made)
    assert sections(made) == {"700300100": "-20.00", "700300101": "90.00", "700300102": "50.00"}
    assert (told.charges, told.closing) == (Decimal("140.00"), Decimal("120.00"))
    assert told.sections[0].account_number == payer.number
    first = told.sections[1].movements[0]
    assert (first.what, first.number) == ("Bill", "100001")
    assert first.detail == "River 100 and 1 more"
    assert first.due == date(2026, 10, 24)
    assert told.disagreements() == ()


def test_an_account_that_is_stated_with_its_parent_has_none_of_its_own(db: Database, world: World):
    with db.transaction() as session:
        payer, yard, shop = firm(session, world)
        yard.is_stated_with_parent = True
        session.flush()
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(payer, dollars("1.00"))
        tell.charge(yard, dollars("2.00"))
        tell.charge(shop, dollars("4.00"))
        tell.day = NOVEMBER
        due = {one.number for one in addressing.due(session, NOVEMBER)}
        assert due == {payer.number, shop.number}
        assert tell.state(yard) == []
        (together,) = tell.state(payer)
        (alone,) = tell.state(shop)
        assert sections(together) == {payer.number: "1.00", yard.number: "2.00"}
        assert sections(alone) == {shop.number: "4.00"}
        assert together.closing_minor == 300


def test_a_grandchild_is_stated_with_whoever_is_above_its_parent(db: Database, world: World):
    with db.transaction() as session:
        payer, yard, shop = firm(session, world)
        shop.parent_id = yard.id
        yard.is_stated_with_parent = shop.is_stated_with_parent = True
        session.flush()
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(shop, dollars("4.00"))
        tell.day = NOVEMBER
        (made,) = tell.state(payer)
        assert sections(made) == {shop.number: "4.00"}


def test_an_account_that_leaves_takes_its_balance_along_and_no_posting_is_lost(
    db: Database, world: World
):
    with db.transaction() as session:
        payer, yard, _ = firm(session, world)
        yard.is_stated_with_parent = True
        session.flush()
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(payer, dollars("10.00"))
        tell.charge(yard, dollars("7.00"))
        tell.day = NOVEMBER
        (before,) = tell.state(payer)
        assert before.closing_minor == 1700
        tell.day = date(2026, 11, 5)
        tell.charge(yard, dollars("3.00"))
        yard.is_stated_with_parent = False
        session.flush()
        tell.day = DECEMBER
        (parents,) = tell.state(payer)
        (own,) = tell.state(yard)
        assert (parents.opening_minor, parents.moved_minor, parents.closing_minor) == (
            1700,
            -700,
            1000,
        )
        (gone,) = read(parents).moves
        assert (gone.account_number, str(gone.amount)) == (yard.number, "-7.00")
        assert (own.opening_minor, own.moved_minor, own.closing_minor) == (0, 700, 1000)
        assert sections(own) == {yard.number: "3.00"}
        # And back again: what happened meanwhile stands on its own statement alone.
        yard.is_stated_with_parent = True
        session.flush()
        tell.day = JANUARY
        (again,) = tell.state(payer)
        assert (again.opening_minor, again.moved_minor, again.closing_minor) == (1000, 1000, 2000)
        for prove in (
            proofs.they_chain,
            proofs.they_take_each_posting_once,
            proofs.they_tie_to_the_ledger,
        ):
            assert prove(session, None).offenders == ()


def test_an_account_of_another_legal_entity_or_without_a_parent_states_itself(
    db: Database, world: World
):
    with db.transaction() as session:
        payer, yard, _ = firm(session, world)
        yard.parent_id, yard.is_stated_with_parent = None, True
        session.flush()
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(yard, dollars("2.00"))
        tell.day = NOVEMBER
        assert len(tell.state(yard)) == 1
        assert tell.state(payer) == []
