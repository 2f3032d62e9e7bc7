"""Today's page: what waits for somebody, each with its count and the list that it leads to."""

import re
from datetime import timedelta

from core.kernel.ids import new_public_id
from payments.chargebacks import ChargebackRow
from payments.dunning import cases
from payments.models import Payment
from tests.rooms.web import disputed
from tests.rooms.web.stage import KIM, Stage


def test_money_that_stays_out_is_counted_and_leads_to_its_list(one_stage: Stage):
    stage, now = one_stage, one_stage.clock.now()
    disputed.opened(stage, who := stage.newcomer())
    payment = stage.row(Payment, Payment.public_id == stage.ids["riley_payment"])
    with stage.db.transaction() as session:
        cases.start(session, stage.accounts[who], now.date() - timedelta(days=3), now)
        for state in ("open", "warned"):
            session.add(
                ChargebackRow(
                    gateway_id=new_public_id(),
                    payment_id=payment.id,
                    currency=payment.currency,
                    amount_minor=100,
                    state=state,
                    opened_at=now,
                    heard_at=now,
                )
            )
    kim = stage.browser(KIM)
    today = kim.get("/desk").get_data(as_text=True)
    for href in (
        "/desk/past-due",
        "/desk/chargebacks?state=open",
        "/desk/chargebacks?state=warned",
        "/desk/disputes?tab=open",
    ):
        told = re.search(rf'href="{re.escape(href)}">(\d+) ', today)
        assert told is not None, href
        listed = kim.get(href).get_data(as_text=True)
        found = re.search(r'<span class="end small">(\d+) ', listed)
        assert found is not None, href
        if href != "/desk/chargebacks?state=open":  # those that were answered stand there, too
            assert told[1] == found[1], href
