"""Who is written to, about what, and that it happens once."""

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.kernel import jobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import derived_token, new_id
from core.ledger import business, items
from core.notices.models import Notice
from core.parties import users
from core.parties.models import Account, LinkToken, User
from flows import notify
from invoices.models import Invoice
from payments.models import Payment, Refund
from tests.flows.mail_shop import LINKS, PDF, SECRET, Shop
from tests.world import World, user


def flat(mail: Notice) -> str:
    """The plain text in one line, however it was folded."""
    return " ".join(mail.text_body.split())


def spaced(number: str) -> str:
    """An account number as it is printed."""
    return f"{number[:3]} {number[3:6]} {number[6:]}"


@pytest.fixture
def shop(db: Database, world: World, clock: ManualClock) -> Shop:
    return Shop(db, world, clock)


# --- orders ---------------------------------------------------------------------------------------


def test_an_order_is_thanked_for_once_with_everything_in_it(shop: Shop):
    order = shop.order(shop.person(), "paid")
    shop.twice(lambda session: notify.order_placed(session, order.id, LINKS, shop.now))
    mail = shop.mail()
    token = derived_token(SECRET, "order", order.public_id)
    assert mail.key == f"order-placed:{order.id}"
    assert mail.to_address == "riley.moreno@example.com"
    assert mail.subject == f"Thank you: order {order.number}, $326.67"
    for said in (
        "Thank you, Riley.",
        "Wi-Fi 6 router × 2",
        "258.00",
        "Sales tax, Ohio 6.5%",
        "16.77",
        "Delivery, Standard delivery",
        "6.90",
        "$326.67 paid by card on Tuesday, November 17, 2026",
        "4 Chestnut Row",
        "Marrow Bay, OH 44001",
        "after that it costs $45.00 a month",
        f"https://shop.example.com/o/{order.public_id}/{token}",
    ):
        assert said in flat(mail)
    assert mail.message_id.endswith("@shop.example.com>")


def test_an_order_on_terms_is_told_that_nothing_is_due_today(shop: Shop):
    order = shop.order(shop.person())
    shop.twice(lambda session: notify.order_placed(session, order.id, LINKS, shop.now))
    assert "Nothing to pay today" in shop.mail().text_body
    assert "paid by card" not in shop.mail().text_body


def test_the_day_of_an_order_is_the_customers_own(shop: Shop):
    shop.clock.set(datetime.fromisoformat("2026-11-18T03:30:00+00:00"))
    order = shop.order(shop.person(), "paid")
    shop.twice(lambda session: notify.order_placed(session, order.id, LINKS, shop.now))
    assert "Tuesday, November 17, 2026" in shop.mail().text_body


def test_a_strangers_name_is_printed_and_not_obeyed(shop: Shop):
    name = "<script>alert(1)</script> {{7*7}}"
    order = shop.order(shop.person(), "paid", name=name)
    shop.twice(lambda session: notify.order_placed(session, order.id, LINKS, shop.now))
    mail = shop.mail()
    assert name in mail.text_body
    assert "<script" not in mail.html_body
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}}" in mail.html_body


# --- bills ----------------------------------------------------------------------------------------


def stored(shop: Shop, invoice: Invoice) -> None:
    shop.twice(lambda session: notify.document_stored(session, invoice.id, PDF, LINKS, shop.now))


def test_an_open_bill_says_how_much_and_by_when_and_carries_its_pdf(shop: Shop):
    payer = shop.person()
    shop.member(payer, "riley@example.com")
    invoice = shop.bill(shop.order(payer))
    stored(shop, invoice)
    mail = shop.mail()
    assert mail.key == f"document:{invoice.id}"
    assert mail.to_address == payer.email
    assert mail.subject == f"Your bill {invoice.number}: $326.67, due December 1, 2026"
    assert "To pay: $326.67\nDue: Tuesday, December 1, 2026" in mail.text_body
    assert f"https://shop.example.com/account/bills/{invoice.public_id}" in mail.text_body
    assert (mail.attachment_sha256, mail.attachment_name) == (PDF, f"bill-{invoice.number}.pdf")
    assert f"Account {spaced(payer.number)}, order" in flat(mail)


def test_a_bill_that_a_deposit_has_paid_asks_for_nothing(shop: Shop):
    invoice = shop.bill(shop.order(shop.person(), "paid"))
    stored(shop, invoice)
    mail = shop.mail()
    assert mail.subject == f"Your bill {invoice.number}: paid, nothing to do"
    assert re.search(r"Paid +−326\.67\n.*\n  To pay +0\.00\n", mail.text_body)


def test_a_bill_that_is_paid_in_part_asks_for_the_rest(shop: Shop):
    payer = shop.person()
    invoice = shop.bill(shop.order(payer))
    shop.pay(payer, 30000, [(invoice, 30000)])
    stored(shop, invoice)
    assert "$26.67, due December 1, 2026" in shop.mail().subject
    assert re.search(r"Paid +−300\.00\n", shop.mail().text_body)


def test_a_guest_comes_to_the_bill_by_the_orders_link(shop: Shop):
    order = shop.order(shop.person())
    stored(shop, shop.bill(order))
    mail = shop.mail()
    assert LINKS.order(order.public_id) in mail.text_body
    assert LINKS.order(order.public_id) in mail.html_body
    assert "/account/bills/" not in mail.text_body + mail.html_body


def test_without_an_address_of_its_own_an_accounts_payers_are_written_to(shop: Shop):
    payer = shop.person()
    shop.member(payer, "owner@example.com", "owner")
    shop.member(payer, "payer@example.com", "payer")
    shop.member(payer, "viewer@example.com", "viewer")
    gone = shop.member(payer, "gone@example.com", "owner")
    with shop.db.transaction() as session:
        session.get_one(Account, payer.id).email = None
        session.get_one(User, gone.id).disabled_at = shop.now
    stored(shop, shop.bill(shop.order(payer)))
    assert [mail.to_address for mail in shop.mails()] == ["owner@example.com", "payer@example.com"]
    assert len({mail.message_id for mail in shop.mails()}) == 2


def test_nobody_is_written_to_about_imported_history(shop: Shop):
    payer = shop.person()
    invoice = shop.bill(shop.order(payer))
    with shop.db.transaction() as session:
        columns = Invoice.__table__.columns.keys()
        values = {name: getattr(invoice, name) for name in columns}
        again = {"id": new_id(), "public_id": "f" * 32, "series": "old", "order_id": None}
        imported = Invoice(**values | again | {"is_external": True})
        session.add(imported)
    stored(shop, imported)
    assert shop.mails() == []


# --- money ----------------------------------------------------------------------------------------


def applied(shop: Shop, payment: Payment) -> None:
    shop.twice(lambda session: notify.payment_applied(session, payment.id, LINKS, shop.now))


def test_a_receipt_says_what_was_paid_with_what_and_what_is_left(shop: Shop):
    payer = shop.person()
    shop.member(payer, "riley@example.com")
    first, second = (shop.bill(shop.order(payer)) for _ in range(2))
    payment = shop.pay(payer, 40000, [(first, 32667), (second, 7333)])
    applied(shop, payment)
    mail = shop.mail()
    assert mail.key == f"receipt:{payment.id}"
    assert mail.subject == f"Receipt {payment.number}: $400.00, thank you"
    assert "with Visa ending 4242" in flat(mail)
    assert re.search(rf"Bill {first.number} \(Settled\) +326\.67\n", mail.text_body)
    assert re.search(rf"Bill {second.number} \(\$253\.34 still open\) +73\.33\n", mail.text_body)
    assert f"$253.34 is still open on account {spaced(payer.number)}; the next" in flat(mail)
    assert "due Tuesday, December 1, 2026" in flat(mail)
    assert LINKS.receipt(payment.public_id) in mail.text_body


def test_money_that_found_no_bill_is_said_to_be_kept(shop: Shop):
    payer = shop.person()
    invoice = shop.bill(shop.order(payer))
    applied(shop, shop.pay(payer, 40000, [(invoice, 40000)]))
    text = shop.mail().text_body
    assert "$73.33 found no open bill" in text
    assert re.search(r"Kept for you +73\.33\n", text)
    assert "owes nothing" in text


def test_a_receipt_is_not_changed_by_what_its_remainder_pays_later(shop: Shop):
    payer = shop.person()
    first = shop.bill(shop.order(payer))
    payment = shop.pay(payer, 40000, [(first, 40000)])
    second = shop.bill(shop.order(payer))
    with shop.db.transaction() as session:
        held = items.of_sources(session, [payment.id])[payment.id]
        owed = items.of_sources(session, [second.id])[second.id]
        business.use_credit(session, held, owed, held.open, shop.today, shop.now)
    applied(shop, payment)
    text = shop.mail().text_body
    assert f"Bill {second.number}" not in text
    assert re.search(r"Kept for you +73\.33\n", text)


def test_a_late_bill_gets_no_date_in_the_receipt_that_is_past(shop: Shop):
    payer = shop.person()
    invoice = shop.bill(shop.order(payer))
    shop.clock.advance(timedelta(days=60))
    applied(shop, shop.pay(payer, 10000, [(invoice, 10000)]))
    assert "$226.67 is still open" in shop.mail().text_body
    assert "the next of it is due" not in shop.mail().text_body


def test_an_orders_payment_gets_no_receipt_beside_the_orders_mail(shop: Shop):
    order = shop.order(shop.person(), "paid")
    with shop.db.reading() as session:
        payment = session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
    applied(shop, payment)
    assert shop.mails() == []


def test_a_refund_says_how_much_goes_back_and_why(shop: Shop):
    order = shop.order(shop.person(), "paid")
    with shop.db.transaction() as session:
        payment = session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
        refund = Refund(
            payment_id=payment.id,
            operation_id=new_id(),
            gateway_id="re_1",
            amount_minor=32667,
            currency="USD",
            reason="paid_too_late",
            refunded_at=shop.now,
        )
        session.add(refund)
        session.flush()
    shop.twice(lambda session: notify.refunded(session, refund.id, LINKS, shop.now))
    mail = shop.mail()
    assert mail.to_address == order.email
    assert mail.subject == "$326.67 goes back to you"
    assert "after the order had been cancelled" in flat(mail)
    assert "To: Visa ending 4242" in mail.text_body
    assert LINKS.order(order.public_id) in mail.text_body


# --- links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "purpose, subject, words",
    [
        ("reset", "Choose a new password at Fernway Broadband", "for 2 hours"),
        ("invite", "Your log-in at Fernway Broadband", "for 14 days"),
        ("verify", "Welcome to Fernway Broadband: is this address yours?", "for 7 days"),
    ],
)
def test_a_link_that_was_asked_for_is_sent_to_its_user_alone(
    shop: Shop, purpose: str, subject: str, words: str
):
    payer = shop.person()
    someone = shop.member(payer, "riley@example.com")
    with shop.db.transaction() as session:
        link_id = users.new_link(session, purpose, someone.id, shop.now, payer.id)
        token = users.link_token(SECRET, session.get_one(LinkToken, link_id))
    shop.twice(lambda session: notify.link_asked(session, link_id, LINKS, shop.now))
    mail = shop.mail()
    assert (mail.to_address, mail.subject) == ("riley@example.com", subject)
    assert f"https://shop.example.com/account/{purpose}/{token}\n" in mail.text_body
    assert words in mail.text_body
    assert token not in mail.key + mail.message_id + mail.subject
    assert ("the bills of Riley Moreno, account" in flat(mail)) == (purpose == "invite")


def test_staff_without_an_account_are_written_to_in_the_shops_name(shop: Shop):
    with shop.db.transaction() as session:
        clerk = user(session, shop.now, email="june@fernway.example.com", name="June Park")
        link_id = users.new_link(session, "invite", clerk.id, shop.now)
    shop.twice(lambda session: notify.link_asked(session, link_id, LINKS, shop.now))
    assert "Welcome, June." in shop.mail().text_body
    assert "Fernway Broadband has opened a log-in for you." in shop.mail().text_body


@pytest.mark.parametrize("end", ["used", "lapsed", "disabled"])
def test_a_link_that_is_dead_by_now_is_not_sent(shop: Shop, end: str):
    someone = shop.member(shop.person(), "riley@example.com")
    with shop.db.transaction() as session:
        link_id = users.new_link(session, "reset", someone.id, shop.now)
        if end == "used":
            users.use_link(session, link_id, shop.now)
        if end == "disabled":
            session.get_one(User, someone.id).disabled_at = shop.now
    if end == "lapsed":
        shop.clock.advance(timedelta(hours=2))
    shop.twice(lambda session: notify.link_asked(session, link_id, LINKS, shop.now))
    assert shop.mails() == []


def test_no_job_holds_a_link(shop: Shop):
    someone = shop.member(shop.person(), "riley@example.com")
    with shop.db.transaction() as session:
        link_id = users.new_link(session, "reset", someone.id, shop.now)
        token = users.link_token(SECRET, session.get_one(LinkToken, link_id))
    shop.twice(lambda session: notify.link_asked(session, link_id, LINKS, shop.now))
    with shop.db.reading() as session:
        rows = session.scalars(select(jobs.Job)).all()
    assert [row.name for row in rows] == ["NoticeQueued"]
    assert all(token not in f"{row.key} {row.payload}" for row in rows)


def test_links_do_not_show_the_secret_they_are_made_with():
    assert SECRET not in repr(LINKS)
