"""The pages on which a trial begins, and the one that a mail's link opens."""

from core.parties.models import User
from core.subscriptions.trial_models import Trial
from tests import trying
from tests.rooms.web import tried
from tests.rooms.web.stage import PASSWORD, Browser, Stage
from tests.world import ADDRESS


def form(browser: Browser, name: str, **more: str) -> dict[str, str]:
    """What a stranger sends, under the words that the page shows."""
    page = browser.get(f"/trials/{trying.FREE_OFFER}").text
    shown = page.split('name="shown"')[1].split('value="')[1].split('"')[0]
    told = {key: ADDRESS[key] for key in ("line1", "city", "region", "postal_code")}
    return told | {
        "name": name,
        "email": f"{name.lower().replace(' ', '.')}@example.com",
        "password": PASSWORD,
        "agree": "y",
        "shown": shown,
        **more,
    }


def test_a_stranger_begins_and_is_logged_in(stage: Stage):
    tried.offered(stage)
    browser = stage.browser()
    sent = form(browser, "Wren Ashdown", line1="81 Reed Bank")
    answer = browser.post(f"/trials/{trying.FREE_OFFER}", sent)
    trial = stage.row(Trial, Trial.email == "wren.ashdown@example.com")
    assert answer.location == f"/account/trials/{trial.public_id}"
    assert trial.agreed_from == "127.0.0.1"
    page = browser.get(answer.location).text
    assert "It goes on for as long as you like" in page
    assert "Above 5 GB, up to 100 GB" in page


def test_a_refusal_stands_at_its_field_and_says_the_same_for_each(stage: Stage):
    tried.offered(stage)
    first = stage.browser()
    first.post(f"/trials/{trying.FREE_OFFER}", form(first, "Moss Tarn", line1="82 Reed Bank"))
    said = []
    for number, more in enumerate(
        ({"line1": "82, reed bank"}, {"email": "moss.tarn+2@example.com", "line1": "83 Reed Bank"})
    ):
        other = stage.browser()
        sent = form(other, f"Fern Hollow{number}", **more)
        page = other.post(f"/trials/{trying.FREE_OFFER}", sent)
        assert page.status_code == 422
        field = "line1" if number == 0 else "email"
        said.append(page.text.split(f'id="{field}-error">')[1].split("<")[0])
        assert PASSWORD not in page.text
    assert len(set(said)) == 1
    assert not stage.rows(User, User.email.startswith("fern.hollow"))


def test_without_a_tick_nothing_begins_and_what_was_typed_stays(stage: Stage):
    tried.offered(stage)
    browser = stage.browser()
    sent = form(browser, "Reed Marsh", line1="84 Reed Bank")
    sent.pop("agree")
    page = browser.post(f"/trials/{trying.FREE_OFFER}", sent)
    assert page.status_code == 422
    assert "so that we know you have read it" in page.text
    assert 'value="84 Reed Bank"' in page.text
    assert not stage.rows(User, User.email == "reed.marsh@example.com")


def test_words_that_have_changed_are_shown_again(stage: Stage):
    tried.offered(stage)
    browser = stage.browser()
    sent = form(browser, "Ivy Stile", line1="85 Reed Bank", shown="0" * 32)
    page = browser.post(f"/trials/{trying.FREE_OFFER}", sent)
    assert page.status_code == 409
    assert "Please read it again" in page.text


def test_a_link_opens_and_a_button_cancels(stage: Stage):
    public_id = tried.begun(stage, stage.newcomer())
    path = f"/trial/{public_id}/{stage.house.links.trial_token(public_id)}"
    browser = stage.browser()
    assert "Yes, cancel the trial" in browser.get(path).text
    assert stage.row(Trial, Trial.public_id == public_id).cancelled_at is None
    browser.post(f"{path}/cancel")
    assert "Keep it after all" in browser.get(path).text
    browser.post(f"{path}/keep")
    assert stage.row(Trial, Trial.public_id == public_id).cancelled_at is None
    assert browser.get(f"/trial/{public_id}/{'0' * 32}").status_code == 404


def test_the_products_page_offers_its_trials(stage: Stage):
    tried.offered(stage)
    page = stage.browser().get("/p/burrow-backup").text
    assert "14 days, no card" in page
    assert "Free up to 5 GB" in page
