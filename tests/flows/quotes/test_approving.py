"""Above a limit a second person approves, never oneself; what they approved is what is sent."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from cart.quotes import refusals
from cart.quotes.models import QuoteApproval
from cart.quotes.offer import Discount
from cart.quotes.refusals import QuoteIncomplete
from cart.quotes.wanting import Wanted
from core.kernel.audit import AuditEntry
from core.kernel.errors import Invalid, StaleState
from flows import draft_quote, send_quote
from flows.house import House
from tests.quoting import ANN, BOB, Quoting, off
from tests.world import World


def _send(quoting: Quoting) -> None:
    send_quote.send(quoting.house, quoting.public_id, quoting.version().revision, ANN)


def _ask(quoting: Quoting, by: str = ANN) -> int:
    revision = quoting.version().revision
    send_quote.ask_approval(quoting.house, quoting.public_id, revision, "Please look", by)
    return revision


def _decide(quoting: Quoting, revision: int, by: str, *, approved: bool = True) -> None:
    send_quote.decide(
        quoting.house, quoting.public_id, revision, approved=approved, answer="Fine", actor=by
    )


@pytest.mark.parametrize(
    ("wanted", "discount", "reasons"),
    [
        ({"quantity": 2}, "10", []),
        ({"quantity": 2}, "10.1", ["discount"]),
        ({"quantity": 2, "price_micros": 116_090_000}, "0", ["discount"]),
        ({"quantity": 20, "price_micros": 500_000_000}, "0", []),
        ({"quantity": 20, "price_micros": 500_010_000}, "0", ["amount"]),
        ({"quantity": 2, "cost_micros": 103_200_000}, "0", []),
        ({"quantity": 2, "cost_micros": 103_300_000}, "0", ["margin"]),
        ({"quantity": 2, "cost_micros": 100_000_000}, "12", ["discount", "margin"]),
    ],
)
def test_a_version_over_a_limit_needs_a_second_person(
    house: House, world: World, wanted: dict[str, Any], discount: str, reasons: list[str]
):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku=world.router.sku, **wanted), discount=off(discount))
    if not reasons:
        with pytest.raises(refusals.ApprovalNotNeeded):
            _ask(quoting)
        _send(quoting)
        assert not quoting.version().needs_approval
        return
    with pytest.raises(refusals.NeedsApproval):
        _send(quoting)
    _decide(quoting, _ask(quoting), BOB)
    with house.db.reading() as session:
        assert session.scalars(select(QuoteApproval.reasons)).one() == reasons
    _send(quoting)
    version = quoting.version()
    assert (version.state, version.needs_approval, version.approved_by) == ("sent", True, BOB)


def test_nobody_approves_what_they_made_or_asked_for(house: House, world: World):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku=world.router.sku), discount=off("50"), by=ANN)
    revision = _ask(quoting, by=BOB)
    for own in (ANN, BOB):
        with pytest.raises(refusals.OwnQuote):
            _decide(quoting, revision, own)
    with pytest.raises(refusals.NeedsApproval):
        _send(quoting)


def test_what_is_given_away_at_a_cost_needs_a_second_person(house: House, world: World):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(name="A mast", price_micros=0, cost_micros=5_000_000_000))
    with pytest.raises(refusals.NeedsApproval):
        _send(quoting)


def test_an_amount_off_that_is_too_large_is_told_and_saves_nothing(house: House, world: World):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku=world.router.sku), discount=off(amount=12_901))
    with house.db.reading() as session:
        found = draft_quote.preview(session, house, quoting.quote)
    assert found is not None
    priced = found[0].priced
    assert (priced.discount_too_large, priced.saved.minor, priced.saved_ppm) == (True, 0, 0)
    with pytest.raises(QuoteIncomplete):
        _send(quoting)


@pytest.mark.parametrize(
    ("discount", "field"),
    [
        (Discount(50_000, 100, "Both"), "amount"),
        (Discount(1_000_001, 0, "More than all"), "percent"),
    ],
)
def test_a_discount_that_is_none_is_refused(
    house: House, world: World, discount: Discount, field: str
):
    quoting = Quoting.ask(house, world)
    with pytest.raises(Invalid) as refused:
        quoting.write(Wanted(sku=world.router.sku), discount=discount)
    assert list(refused.value.fields_) == [field]


@pytest.mark.parametrize("column", ["asked_by", "drafted_by"])
def test_the_database_refuses_an_approval_of_ones_own(house: House, world: World, column: str):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku=world.router.sku), discount=off("50"))
    _ask(quoting, by=BOB)  # drafted by Ann, so that each half of the rule is met alone
    with pytest.raises(DBAPIError, match="second_person"), house.db.transaction() as session:
        session.execute(
            text(
                "UPDATE quote_approval SET state = 'approved', decided_at = asked_at, "
                f"decided_by = {column}"
            )
        )


def test_the_database_refuses_to_send_over_a_limit_without_a_second_person(
    house: House, world: World
):
    quoting = Quoting.ask(house, world).ready()
    assert quoting.version().approved_by is None
    other = Quoting.ask(house, world)
    other.write(Wanted(sku=world.router.sku), discount=off("50"))
    _ask(other)
    with pytest.raises(DBAPIError, match="second_person"), house.db.transaction() as session:
        session.execute(
            text(
                "UPDATE quote_version SET state = 'sent', frozen_at = changed_at, "
                "expires_at = changed_at, document = '{}', net_minor = 1, tax_minor = 0 "
                "WHERE state = 'waiting'"
            )
        )


def test_whoever_changes_it_asks_anew(house: House, world: World):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku=world.router.sku), discount=off("50"))
    _decide(quoting, _ask(quoting), BOB)
    assert quoting.version().state == "approved"
    quoting.write(Wanted(sku=world.router.sku), discount=off("60"))
    assert quoting.version().state == "draft"
    with pytest.raises(refusals.NeedsApproval):
        _send(quoting)
    revision = _ask(quoting)
    _decide(quoting, revision, BOB, approved=False)
    assert quoting.version().state == "draft"
    with pytest.raises(StaleState):
        _decide(quoting, revision, BOB)


def test_what_is_missing_is_said_all_at_once(house: House, world: World):
    quoting = Quoting.ask(house, world, sites=())
    quoting.write(sites=(), days=-1)
    with pytest.raises(QuoteIncomplete) as told:
        _send(quoting)
    assert [one.code for one in told.value.requirements] == ["no_lines", "no_place", "validity"]


def test_what_no_line_can_be_stands_with_its_field(house: House, world: World):
    quoting = Quoting.ask(house, world)
    with pytest.raises(Invalid) as told:
        quoting.write(
            Wanted(sku="NOTHING"),
            Wanted(sku=world.router.sku, term_months=12),
            Wanted(name="Words alone"),
            Wanted(sku=world.router.sku, quantity=1000),
        )
    assert set(told.value.fields_) == {
        "lines-0.sku",
        "lines-1.term",
        "lines-2.price",
        "lines-3.quantity",
    }


def test_every_act_is_in_the_audit_log(house: House, world: World):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku=world.router.sku), discount=off("50"))
    _decide(quoting, _ask(quoting), BOB)
    _send(quoting)
    quoting.accept()
    with house.db.reading() as session:
        acts = session.scalars(
            select(AuditEntry.act).where(AuditEntry.subject_kind == "quote").order_by(AuditEntry.id)
        ).all()
    assert acts == [
        "quote.requested",
        "quote.changed",
        "quote.approval_asked",
        "quote.approved",
        "quote.sent",
        "quote.signed",
        "quote.accepted",
    ]
