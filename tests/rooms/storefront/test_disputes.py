"""Whoever has an order's link and no account disputes a line of its bill, and sees nothing else."""

from core.notices.models import Notice
from invoices.disputes.models import Dispute
from tests.rooms.portal.test_disputes import form_of
from tests.rooms.web import disputed
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import RILEY, Stage


def test_a_guest_disputes_a_line_by_the_link_adds_to_it_and_takes_it_back(stage: Stage):
    order = stage.order_on_terms(stage.world.visit.sku)
    base = f"/o/{order.public_id}/{stage.house.links.order_token(order.public_id)}"
    bill, guest = f"{base}/bills/{stage.bill_of(order).public_id}", stage.browser()
    (leads,) = [link for link in Page(guest.get(bill)).values if "/lines/1/dispute" in link]
    form = form_of(guest, leads)
    assert (form["amount"], "files" in form) == ("60.00", False)
    wrong = guest.post(leads, form | {"amount": "much"})
    assert (wrong.status_code, "An amount with a point" in wrong.text) == (422, True)
    opened = guest.post(leads, form | {"text": "Nobody came."})
    where = opened.headers["Location"]
    assert where.startswith(f"{base}/disputes/")
    assert guest.post(leads, form | {"text": "Nobody came."}).headers["Location"] == where
    page = Page(guest.get(where)).text
    assert "We look at it" in page
    assert "Nobody came." in page
    said = form_of(guest, where, f"{where}/messages")
    assert guest.post(f"{where}/messages", said | {"text": ""}).status_code == 422
    assert guest.post(f"{where}/messages", said | {"text": "Still nobody."}).status_code == 303
    assert "Still nobody." in Page(guest.get(where)).text
    row = stage.row(Dispute, Dispute.public_id == where.rpartition("/")[2])
    stage.drain()
    (mail,) = stage.rows(Notice, Notice.key == f"dispute-opened:{row.id}")
    assert f"{where}\n" in mail.text_body, "the mail leads to the link, not to a log-in"

    other = disputed.opened(stage, RILEY)
    assert guest.get(f"{base}/disputes/{other.public_id}").status_code == 404
    assert guest.post(f"{base}/disputes/{other.public_id}/withdraw", {}).status_code == 404
    assert guest.get(where.replace(base, f"{base[:-1]}x")).status_code == 404
    assert guest.post(f"{where}/withdraw", {}).status_code == 303
    for _ in range(2):
        again = guest.post(leads, form_of(guest, leads)).headers["Location"]
        assert again != where
        guest.post(f"{again}/withdraw", {})
    often = guest.post(leads, form_of(guest, leads))
    assert (often.status_code, "taken back 3 times" in often.text) == (422, True)


def test_where_somebody_can_log_in_the_link_opens_no_dispute(stage: Stage):
    order = stage.order_on_terms(stage.world.visit.sku, who=RILEY)
    base = f"/o/{order.public_id}/{stage.house.links.order_token(order.public_id)}"
    bill = stage.bill_of(order).public_id
    (leads,) = [
        link
        for link in Page(stage.browser().get(f"{base}/bills/{bill}")).values
        if "/lines/1/dispute" in link
    ]
    assert leads == f"/account/bills/{bill}/lines/1/dispute"
    assert stage.browser().get(f"{base}/bills/{bill}/lines/1/dispute").status_code == 404
