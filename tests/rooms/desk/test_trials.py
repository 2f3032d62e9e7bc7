"""Trials at the desk: calls are done once, offers keep their bounds, and the report adds up."""

import csv
import io
from urllib.parse import quote

import pytest
from sqlalchemy import select

from core.kernel import audit
from core.subscriptions import trial_report
from core.subscriptions.trial_models import Trial, TrialFollowUp, TrialOffer
from desk import lists
from tests import trying
from tests.rooms.web import tried
from tests.rooms.web.stage import KIM, Stage

OFFER = f"/desk/trials/offers/{trying.NO_CARD_OFFER}"


def grown(stage: Stage, name: str = "Ash Vale") -> tuple[str, Trial, TrialFollowUp]:
    """A trial with a call that is due today: whose, the trial, the call."""
    who = stage.newcomer(name)
    tried.offered(stage)
    with stage.db.transaction() as session:
        public_id = tried.grown(session, stage, who)
    trial = stage.row(Trial, Trial.public_id == public_id)
    today = trial.starts_on
    due = (TrialFollowUp.trial_id == trial.id, TrialFollowUp.due_on == today)
    return who, trial, stage.row(TrialFollowUp, *due)


def _calls_of(trial: Trial) -> str:
    """The list of calls, of one person alone: others may fill its first page."""
    return f"/desk/trials/follow-ups?q={quote(trial.email)}"


def test_a_call_is_done_once_with_its_outcome(stage: Stage):
    _, trial, call = grown(stage)
    browser = stage.browser(KIM)
    path = f"/desk/trials/follow-ups/{call.public_id}"
    assert f'action="{path}"' in browser.get(_calls_of(trial)).text
    refused = browser.post(path, {"outcome": "", "note": "?"})
    assert refused.status_code == 422
    assert "Choose how it went." in refused.text
    done = browser.post(path, {"outcome": "reached", "note": "Likes it"})
    assert done.status_code == 303
    browser.post(path, {"outcome": "not_wanted", "note": "Again"})
    row = stage.row(TrialFollowUp, TrialFollowUp.id == call.id)
    assert (row.outcome, row.note, row.done_by) == (
        "reached",
        "Likes it",
        f"user:{stage.people[KIM]}",
    )
    assert path not in browser.get(_calls_of(trial)).text
    assert "Likes it" in browser.get(f"/desk/trials/{trial.public_id}").text


def test_a_call_that_was_noted_wrongly_shows_why_however_far_down_it_stands(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    grown(stage)
    _, _, call = grown(stage)
    monkeypatch.setattr(lists, "PAGE_SIZE", 1)
    browser, path = stage.browser(KIM), f"/desk/trials/follow-ups/{call.public_id}"
    assert f'action="{path}"' not in browser.get("/desk/trials/follow-ups").text
    refused = browser.post(path, {"outcome": "", "note": "She asked about the price"})
    assert refused.status_code == 422
    assert f'action="{path}"' in refused.text
    assert "Choose how it went." in refused.text
    assert "She asked about the price" in refused.text


def test_whoever_has_cancelled_is_not_on_the_list(stage: Stage):
    _, trial, call = grown(stage)
    link = f"/trial/{trial.public_id}/{stage.house.links.trial_token(trial.public_id)}"
    desk = stage.browser(KIM)
    assert call.public_id in desk.get(_calls_of(trial)).text
    assert stage.browser().post(f"{link}/cancel").status_code == 303
    listed = desk.get(_calls_of(trial))
    assert listed.status_code == 200
    assert call.public_id not in listed.text


def test_an_offer_is_changed_for_whoever_comes_and_not_for_whoever_is_there(stage: Stage):
    _, trial, _ = grown(stage)
    browser = stage.browser(KIM)
    bad = browser.post(OFFER, {"days": "7", "notice_days": "3", "follow_up_days": "a"})
    assert bad.status_code == 422
    bad = browser.post(OFFER, {"days": "7", "notice_days": "3", "follow_up_days": "3"})
    assert "At least 7 days before the end." in bad.text
    good = {"days": "21", "notice_days": "8", "follow_up_days": "3, 12", "is_active": "y"}
    assert browser.post(OFFER, good).status_code == 303
    row = stage.row(TrialOffer, TrialOffer.code == trying.NO_CARD_OFFER)
    assert (row.days, row.notice_days, row.follow_up_days) == (21, 8, [3, 12])
    assert stage.row(Trial, Trial.id == trial.id).days == trial.days
    back = {"days": "14", "notice_days": "7", "follow_up_days": "5, 10, 21"}
    assert browser.post(OFFER, back).status_code == 303  # and switched off
    assert stage.browser().get(f"/trials/{trying.NO_CARD_OFFER}").status_code == 404
    browser.post(OFFER, back | {"is_active": "y"})
    assert stage.browser().get(f"/trials/{trying.NO_CARD_OFFER}").status_code == 200


def test_the_file_has_every_trial_and_runs_no_formula(stage: Stage):
    who, trial, _ = grown(stage, "=cmd()")
    answer = stage.browser(KIM).get(f"/desk/trials.csv?q={who}")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["trial"], row["name"]) for row in rows] == [(trial.public_id, "'=cmd()")]
    assert rows[0]["ends_on"] == trial.ends_on.isoformat()


def test_the_report_counts_every_trial_once(stage: Stage):
    _, trial, _ = grown(stage)
    link = f"/trial/{trial.public_id}/{stage.house.links.trial_token(trial.public_id)}"
    day = trial.starts_on

    def tally() -> trial_report.Tally:
        with stage.db.snapshot() as session:
            return trial_report.report(session, day, day)[0]

    before = tally()
    stage.browser().post(f"{link}/cancel")
    after = tally()
    assert (after.started, after.running, after.cancelled) == (
        before.started,
        before.running - 1,
        before.cancelled + 1,
    )
    for one in (before, after):
        over = one.running + one.converted + one.cancelled + one.lapsed
        assert one.started == over
    with stage.db.snapshot() as session:
        began = session.scalars(select(Trial.id).where(Trial.starts_on == day)).all()
    assert after.started == len(began)
    page = stage.browser(KIM).get(f"/desk/trials/report?from={day}&to={day}").text
    assert f'<td class="num">{after.started}</td>' in page


def test_a_day_that_is_none_is_told(stage: Stage):
    page = stage.browser(KIM).get("/desk/trials/report?from=soon").text
    assert "Write a day like 2026-11-30." in page


def test_a_plan_is_offered_to_be_tried_and_what_cannot_be_is_told_at_its_field(stage: Stage):
    tried.offered(stage)
    browser, path = stage.browser(KIM), "/desk/trials/offers/new"
    assert f'href="{path}"' in browser.get("/desk/trials/offers").text
    assert "Plan" in browser.get(path).text
    code = "a-longer-try"
    good = {"sku": "BUR-1", "kind": "no_card", "code": code, "days": "21", "notice_days": "7",
            "follow_up_days": "3, 9", "is_active": "y"}  # fmt: skip
    for field, wrong, words in (
        ("sku", "FW-RT-6", "Choose a plan."),
        ("kind", "", "Choose how it is tried."),
        ("code", "New offer", "Small letters, figures and hyphens"),
        ("code", trying.NO_CARD_OFFER, "Another offer has this address."),
        ("days", "5", "More days than the notice"),
        ("kind", "free_tier", "so it has no free tier"),
    ):
        refused = browser.post(path, good | {field: wrong})
        assert (refused.status_code, words in refused.text) == (422, True), words
    assert browser.post(path, good).status_code == 303
    row = stage.row(TrialOffer, TrialOffer.code == code)
    assert (row.kind, row.days, row.follow_up_days, row.is_active) == ("no_card", 21, [3, 9], True)
    assert stage.browser().get(f"/trials/{code}").status_code == 200
    acts = stage.rows(audit.AuditEntry, audit.AuditEntry.subject_id == code)
    assert [one.act for one in acts] == ["trial_offer.made"]
