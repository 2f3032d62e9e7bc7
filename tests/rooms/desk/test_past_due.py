"""Who is past due, at the desk and in the account: a list, a case, what staff do, a customer's promise."""

from datetime import timedelta

from core.parties.models import Account
from flows import tell_due
from payments.dunning import cases
from payments.dunning.models import DunningCase
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage


def late(stage: Stage) -> tuple[str, DunningCase]:
    """Somebody with a bill that was due three weeks ago, and their case."""
    who = stage.newcomer("Rowan Late")
    stage.order_on_terms(stage.world.visit.sku, who=who)
    stage.drain()
    stage.clock.advance(timedelta(days=35))
    tell_due.run(stage.house)
    stage.drain()
    with stage.db.reading() as session:
        case = cases.open_case(session, stage.accounts[who])
    assert case is not None
    return who, case


def test_staff_see_who_is_late_and_act_and_the_customer_promises(one_stage: Stage):
    stage = one_stage
    who, case = late(stage)
    account = stage.row(Account, Account.id == case.account_id)
    desk, here = stage.browser(KIM), f"/desk/past-due/{case.public_id}"
    listed = Page(desk.get(f"/desk/past-due?q={account.number}")).text
    assert account.name in listed
    assert "Past due" in listed
    assert "Nobody is past due" not in listed
    assert account.name not in Page(desk.get("/desk/past-due?state=locked")).text
    assert account.number in desk.get("/desk/past-due.csv").get_data(as_text=True)
    assert "Third reminder" in Page(desk.get(here)).text

    mine = stage.browser(who)
    first = Page(mine.get("/account")).text
    assert "I need a few days more" in first
    assert "past its date" in first or "It was due on" in first
    path = f"/account/past-due/{case.public_id}"
    too_late = (stage.clock.now() + timedelta(days=60)).date().isoformat()
    refused = mine.post(f"{path}/promise", {"until": too_late})
    assert refused.status_code == 422
    assert "For a later one, please call us." in Page(refused).text
    day = (stage.clock.now() + timedelta(days=5)).date().isoformat()
    assert mine.post(f"{path}/promise", {"until": day}).status_code == 303
    assert "You will pay by" in Page(mine.get("/account")).text
    assert account.name in Page(desk.get("/desk/past-due?state=promised")).text

    assert desk.post(f"{here}/go-on").status_code == 303
    held = desk.post(f"{here}/hold", {"hold-until": day, "hold-note": "She called"})
    assert held.status_code == 303
    text = Page(desk.get(here)).text
    assert "She called" in text
    assert "Kim Lund" in text
    past = desk.post(f"{here}/hold", {"hold-until": "2020-01-01"})
    assert past.status_code == 422
    assert "half a year" in Page(past).text
    assert desk.post(f"{here}/remind").status_code == 303
    assert "Reminded by hand" in Page(desk.get(here)).text
    assert "There is no fee to take back" in Page(desk.get(f"{here}/waive")).text


def test_a_round_of_the_reconciler_at_the_desk(one_stage: Stage):
    desk = one_stage.browser(KIM)
    made = desk.post("/desk/reconciler")
    assert made.status_code == 303
    assert "What it did" in Page(desk.get(made.headers["Location"])).text
    assert "by hand" in Page(desk.get("/desk/reconciler")).text
