"""The page of staff: inviting, roles, shutting out; and there is always an admin."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.kernel.audit import AuditEntry
from core.kernel.ids import new_public_id
from core.parties import second_step as steps
from core.parties import staff
from core.parties.models import User, UserSession
from core.parties.staff import LastAdmin
from tests import world as worlds
from tests.rooms.web.stage import KIM, Browser, Stage, password_hash


@pytest.fixture
def kim(stage: Stage) -> Browser:
    return stage.browser(KIM)


def _colleague(stage: Stage, *roles: str) -> str:
    """Somebody at the desk; answers how they are called here."""
    who = f"col-{new_public_id()[:10]}"
    with stage.db.transaction() as session:
        user = worlds.user(session, stage.clock.now(), email=f"{who}@example.com", name="Col Reed")
        user.password_hash, user.is_staff, user.roles = password_hash(), True, list(roles)
        stage.people[who] = user.id
    return who


def _page_of(stage: Stage, who: str) -> str:
    return f"/desk/staff/{_user(stage, who).public_id}"


def _user(stage: Stage, who: str) -> User:
    found: User = stage.row(User, User.id == stage.people[who])
    return found


def _acts(stage: Stage, who: str) -> list[tuple[str, str]]:
    with stage.db.reading() as session:
        rows = session.execute(
            select(AuditEntry.act, AuditEntry.actor)
            .where(AuditEntry.subject_id == _user(stage, who).public_id)
            .order_by(AuditEntry.id)
        )
        return [(act, actor) for act, actor in rows]


def test_somebody_new_gets_a_link_chooses_a_password_and_does_what_their_role_says(
    stage: Stage, kim: Browser
):
    email = f"new-{new_public_id()[:8]}@example.com"
    asked = {"name": "Nils Tarn", "email": email.upper(), "roles": ["billing"]}
    assert kim.post("/desk/staff", asked).status_code == 303
    again = kim.post("/desk/staff", asked)
    assert again.status_code == 422
    assert "at the desk already" in again.get_data(as_text=True)
    stage.drain()
    (mail,) = stage.shop.post.to(email)
    found = re.search(r"/account/invite/(\w+)", mail.get_body(("plain",)).get_content())
    assert found is not None
    browser = stage.browser()
    chosen = {"password": "a ferry in the fog"}
    assert browser.post(f"/account/invite/{found[1]}", chosen).status_code == 303
    entry = {"email": email, **chosen}
    assert browser.post("/desk/login", entry).status_code == 303
    assert browser.get("/desk/ledger").status_code == 200
    refused = browser.get("/desk/staff")
    assert refused.status_code == 403
    text = refused.get_data(as_text=True)
    assert "Your role (billing) doesn’t include this. This is for admin." in text
    assert 'href="/desk"' in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"roles": []}, "Choose what they do."),
        ({"roles": ["owner"]}, "owner"),
        ({"email": "nobody"}, "e-mail"),
        ({"name": ""}, "called"),
    ],
)
def test_who_is_invited_without_what_it_takes_is_not(
    one_stage: Stage, change: dict[str, object], words: str
):
    asked = {"name": "Nils Tarn", "email": "nils@example.com", "roles": ["sales"], **change}
    answer = one_stage.browser(KIM).post("/desk/staff", asked)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert one_stage.rows(User, User.email == "nils@example.com") == []


def test_a_role_counts_at_once_and_so_does_its_end(stage: Stage, kim: Browser):
    who = _colleague(stage, "content")
    browser, here = stage.browser(who), _page_of(stage, who)
    assert browser.get("/desk/quotes").status_code == 403
    assert kim.post(f"{here}/roles", {"roles": ["sales", "support"]}).status_code == 303
    assert browser.get("/desk/quotes").status_code == 200
    assert browser.get("/desk/ledger").status_code == 403
    assert kim.post(f"{here}/roles", {"roles": []}).status_code == 303
    assert browser.get("/desk/quotes").status_code == 403
    assert browser.get("/desk").status_code == 200
    kims = f"user:{stage.people[KIM]}"
    assert _acts(stage, who) == [("staff.roles_set", kims)] * 2


def test_who_is_locked_out_is_out_at_once_and_back_when_let_in(stage: Stage, kim: Browser):
    who = _colleague(stage, "sales")
    browser, here = stage.browser(who), _page_of(stage, who)
    assert "Lock Col Reed out?" in kim.get(f"{here}/lock-out").get_data(as_text=True)
    assert kim.post(f"{here}/lock-out").status_code == 303
    assert browser.get("/desk").status_code == 302
    assert stage.rows(UserSession, UserSession.user_id == stage.people[who]) == []
    assert "Locked out" in kim.get(here).get_data(as_text=True)
    assert kim.post(f"{here}/let-in").status_code == 303
    assert stage.browser(who).get("/desk").status_code == 200
    assert [act for act, _ in _acts(stage, who)] == ["staff.locked_out", "staff.let_in"]


def test_a_reset_second_step_is_set_up_anew(stage: Stage, kim: Browser):
    who = _colleague(stage, "sales")
    keys = steps.Secrets(stage.house.links.secret)
    with stage.db.transaction() as session:
        steps.begin(session, keys, stage.people[who], stage.clock.now())
        steps.confirm(session, stage.people[who], stage.clock.now())
        steps.new_recovery_codes(session, keys, stage.people[who], stage.clock.now())
    browser, here = stage.browser(who), _page_of(stage, who)
    assert browser.get("/desk").status_code == 200
    assert kim.post(f"{here}/reset").status_code == 303
    assert browser.get("/desk").status_code == 302
    with stage.db.reading() as session:
        assert steps.of(session, stage.people[who]) is None
        assert steps.recovery_codes_left(session, stage.people[who]) == 0
    assert [act for act, _ in _acts(stage, who)] == ["second_step.reset"]


def test_the_last_admin_stays_one(one_stage: Stage):
    kim, here = one_stage.browser(KIM), _page_of(one_stage, KIM)
    others = [
        user.id
        for user in one_stage.rows(User, User.is_staff)
        if "admin" in user.roles and user.id != one_stage.people[KIM]
    ]
    _disable(one_stage, others, True)
    try:
        answer = kim.post(f"{here}/roles", {"roles": ["sales"]})
        assert answer.status_code == 422
        assert "is the last admin" in answer.get_data(as_text=True)
        assert kim.post(f"{here}/lock-out").status_code == 303
        assert "is the last admin" in kim.get(here).get_data(as_text=True)
        assert kim.get("/desk/staff").status_code == 200
        _colleague(one_stage, "admin")
        assert kim.post(f"{here}/roles", {"roles": ["admin", "sales"]}).status_code == 303
        with one_stage.db.transaction() as session:
            staff.set_roles(session, session.get_one(User, one_stage.people[KIM]), ["admin"])
    finally:
        _disable(one_stage, others, False)


def _disable(stage: Stage, keys: list[object], out: bool) -> None:
    with stage.db.transaction() as session:
        moment = stage.clock.now() - timedelta(days=1) if out else None
        session.execute(update(User).where(User.id.in_(keys)).values(disabled_at=moment))


def test_two_admins_who_end_each_other_leave_one(stage: Stage):
    """Each takes the other's role away: whoever comes second is refused."""
    with stage.db.transaction() as session:
        for user in session.scalars(select(User).where(User.is_staff)).all():
            if "admin" in user.roles and user.id != stage.people[KIM]:
                user.roles = ["sales"]
    other = _colleague(stage, "admin")
    with stage.db.transaction() as session:
        staff.set_roles(session, session.get_one(User, stage.people[other]), ["sales"])
    with stage.db.transaction() as session, pytest.raises(LastAdmin):
        staff.set_roles(session, session.get_one(User, stage.people[KIM]), ["sales"])
