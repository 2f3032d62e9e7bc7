"""Bill runs and parked accounts at the desk: started, watched, told apart, and let go."""

from datetime import timedelta

from core.kernel.clock import local_date
from core.parties.models import Account
from core.subscriptions.models import Subscription
from invoices.billing.models import BillParking, BillRun
from invoices.models import Invoice
from tests import serving
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage
from tests.world import ZONE


def _served(stage: Stage, quantity: int = 1) -> Account:
    """Somebody new with a line that is due today."""
    key, now = stage.accounts[stage.newcomer()], stage.clock.now()
    with stage.db.transaction() as session:
        payer = session.get_one(Account, key)
        serving.running(
            session, stage.world, payer, stage.world.plan, now, on=today(stage), quantity=quantity
        )
        return payer


def today(stage: Stage):
    return local_date(stage.clock.now(), ZONE)


def _start(stage: Stage, payer: Account, **more: str) -> str:
    form = {"as_of": today(stage).isoformat(), "account": payer.number, **more}
    answer = stage.browser(KIM).post("/desk/bill-runs", form)
    assert answer.status_code == 303
    stage.drain()
    return str(answer.headers["Location"])


def test_a_preview_says_what_the_run_then_bills(stage: Stage):
    payer, kim = _served(stage), stage.browser(KIM)
    looked = Page(kim.get(_start(stage, payer, preview="y"))).text
    assert "Preview up to" in looked
    assert payer.number in looked
    assert stage.rows(Invoice, Invoice.payer_account_id == payer.id) == []
    path = _start(stage, payer)
    (invoice,) = stage.rows(Invoice, Invoice.payer_account_id == payer.id)
    page = Page(kim.get(path)).text
    assert "1 of 1 accounts looked at" in page
    assert invoice.number in page
    rows = kim.get(f"{path}.csv").get_data(as_text=True).splitlines()
    assert rows[0] == "account,name,what,document,currency,amount,reason"
    assert rows[1].split(",")[2:6] == ["billed", invoice.number, "USD", "45.00"]
    assert Page(kim.get("/desk/bill-runs")).text.count("Bills") >= 1


def test_a_day_that_lies_ahead_and_an_account_that_nobody_has_are_told_at_their_fields(
    stage: Stage,
):
    kim, ahead = stage.browser(KIM), today(stage) + timedelta(days=9)
    answer = kim.post("/desk/bill-runs", {"as_of": ahead.isoformat()})
    assert answer.status_code == 422
    assert "lies ahead of us" in Page(answer).text
    nobody = {"as_of": today(stage).isoformat(), "account": "000000000"}
    answer = kim.post("/desk/bill-runs", nobody)
    assert answer.status_code == 422
    assert "No account has this number." in Page(answer).text


def test_a_parked_account_is_let_go_with_a_note_and_billed(stage: Stage):
    payer, kim = _served(stage, quantity=9_000), stage.browser(KIM)
    assert "Parked: More than a bill may be" in Page(kim.get(_start(stage, payer))).text
    row = stage.row(BillParking, BillParking.account_id == payer.id)
    path = f"/desk/parked/{row.public_id}"
    assert payer.number in Page(kim.get("/desk/parked")).text
    refused = kim.post(f"{path}/release", {"note": ""})
    assert refused.status_code == 422
    assert "Say what was put right." in Page(refused).text
    still = kim.post(f"{path}/release", {"note": "as agreed"})
    assert "It cannot be billed yet" in Page(kim.get(still.headers["Location"])).text
    with stage.db.transaction() as session:
        (service,) = session.query(Subscription).filter_by(payer_account_id=payer.id)
        service.ended_on, service.revision = today(stage), 2
    again = stage.row(
        BillParking, BillParking.account_id == payer.id, BillParking.released_at.is_(None)
    )
    done = kim.post(f"/desk/parked/{again.public_id}/release", {"note": "it ended"})
    assert "Let go and billed" in Page(kim.get(done.headers["Location"])).text
    assert "it ended" in Page(kim.get(f"/desk/parked/{again.public_id}")).text
    assert stage.rows(BillRun, BillRun.account_id == payer.id)
