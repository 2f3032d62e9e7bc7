"""Who is written to about a quote, once, and what the mails say."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from cart.quotes.wanting import Wanted
from core.kernel.clock import ManualClock
from core.kernel.errors import Invalid
from flows import accept_quote, ask_quote, send_quote, talk_about_quote, tell_quote
from flows.house import House
from tests.paying import drain, fill_cart
from tests.quoting import ANN, Quoting, contact, mails
from tests.world import World

DESK, PAT = "billing@fernway.example.com", "pat@rowan.example.com"


def _told(house: House) -> list[tuple[str, str]]:
    """Whom the mails went to, and their subjects; they are taken out of the box."""
    drain(house)
    box = mails(house)
    found = [(mail["To"], mail["Subject"]) for mail in box]
    box.clear()
    return found


def _plain(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_request_is_told_to_who_asked_and_to_the_desk(house: House, world: World):
    quoting = Quoting.ask(house, world, pieces=3)
    drain(house)
    to_pat, to_desk = mails(house)
    assert (to_pat["To"], to_desk["To"]) == (PAT, DESK)
    assert house.links.quote(quoting.public_id) in _plain(to_pat)
    assert house.links.desk_quote(quoting.public_id) in _plain(to_desk)
    assert house.links.quote_token(quoting.public_id) not in _plain(to_desk)
    for mail in (to_pat, to_desk):
        assert "Wi-Fi 6 router × 3" in _plain(mail)
        assert "Three places, please." in _plain(mail)
        assert mail.get_body(("html",)) is not None


def test_each_turn_is_told_once_to_the_other_side(house: House, world: World):
    quoting = Quoting.ask(house, world)
    assert [to for to, _ in _told(house)] == [PAT, DESK]
    quoting.ready()
    assert _told(house) == [(PAT, "Your quote Q-1001/1: $274.77, valid until December 1, 2026")]
    talk_about_quote.write(house, quoting.public_id, "customer", "One more?", named="a")
    talk_about_quote.write(house, quoting.public_id, "customer", "One more?", named="a")
    assert _told(house) == [(DESK, "Pat Rowan wrote about quote Q-1001")]
    talk_about_quote.write(house, quoting.public_id, "staff", "Yes.", author="Kim Lund")
    assert _told(house) == [(PAT, "Fernway Broadband wrote about quote Q-1001")]
    quoting.accept()
    assert [to for to, subject in _told(house) if "accepted" in subject] == [PAT, DESK]
    assert quoting.quote.answered_at is not None


def test_declining_and_taking_back_are_told(house: House, world: World):
    quoting = Quoting.ask(house, world).ready()
    _told(house)
    accept_quote.decline(house, quoting.public_id, 1, "competitor", "They are nearer.", "Pat")
    drain(house)
    to_desk = next(mail for mail in mails(house) if mail["To"] == DESK)
    assert "somebody else’s offer" in _plain(to_desk)
    assert "They are nearer." in _plain(to_desk)
    assert [to for to, _ in _told(house)] == [PAT, DESK]
    quoting.another()
    _told(house)
    send_quote.withdraw(house, quoting.public_id, "no_stock", "We are sorry.", ANN)
    assert _told(house) == [(PAT, "We have taken quote Q-1001 back")]


def test_what_was_never_sent_is_taken_back_in_silence(house: House, world: World):
    quoting = Quoting.ask(house, world)
    _told(house)
    send_quote.withdraw(house, quoting.public_id, "customer_asked", "", ANN)
    assert _told(house) == []


def test_a_version_that_was_replaced_before_its_mail_is_not_sent(house: House, world: World):
    quoting = Quoting.ask(house, world)
    _told(house)
    quoting.ready().another()
    assert [subject.split(":")[0] for _, subject in _told(house)] == ["Your quote Q-1001/2"]


def test_who_has_not_answered_is_reminded_once_before_it_ends(house: House, world: World):
    quoting = Quoting.ask(house, world).ready(days=10)
    _told(house)
    assert isinstance(house.clock, ManualClock)
    assert tell_quote.remind(house) == 0
    ends = quoting.version().expires_at
    assert ends is not None
    house.clock.set(ends - timedelta(days=3))
    assert tell_quote.remind(house) == 1
    assert tell_quote.remind(house) == 0
    assert _told(house) == [(PAT, "Your quote Q-1001/1 is valid until November 27, 2026")]
    house.clock.set(ends)
    assert tell_quote.remind(house) == 0


def test_a_message_is_plain_text_that_says_something(house: House, world: World):
    quoting = Quoting.ask(house, world)
    for nothing in ("", " \n ", "\x00\u202e"):
        with pytest.raises(Invalid):
            talk_about_quote.write(house, quoting.public_id, "customer", nothing)
    with pytest.raises(Invalid):
        talk_about_quote.write(house, quoting.public_id, "customer", "x" * 4001)


def test_a_cart_is_asked_for_once_however_often_the_button_is_pressed(house: House, world: World):
    cart_id = fill_cart(house, world.router.sku, world.plan.sku)
    first = ask_quote.of_cart(house, cart_id, contact(), "once")
    assert ask_quote.of_cart(house, cart_id, contact(), "once") == first
    other = ask_quote.of_cart(house, cart_id, contact(message="And a visit."), "once")
    assert other != first
    offer = Quoting(house, world, first).offer()
    assert [(line.sku, line.quantity) for line in offer.lines] == [
        (world.router.sku, 1),
        (world.plan.sku, 1),
    ]


def test_what_goes_to_several_places_is_asked_for_at_each(house: House, world: World):
    from tests.quoting import DEPOT, MILL

    quoting = Quoting.ask(house, world, pieces=2, sites=(DEPOT, MILL))
    assert [(line.quantity, line.site) for line in quoting.offer().lines] == [(2, 0), (2, 1)]
    assert quoting.quote.value_minor == 4 * 12900
    quoting.ready(Wanted(sku=world.router.sku), sites=(DEPOT, MILL))
