"""The commands of ``./shop``: what each does, what it says, and how its processes end."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app import cli, migrations
from app.commands import invite, jobs, migrate, reconcile, staff
from app.migrations.ops import CannotMigrate
from app.settings import Settings, load
from core.kernel import jobs as queue
from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.kernel.jobs import MAX_ATTEMPTS, Job
from core.parties import accounts, second_step, users
from core.parties.accounts import NewAccount
from core.parties.models import Account, LegalEntity, LinkToken
from core.parties.second_step import Secrets
from core.parties.users import DeadLink
from payments.gateway import Indeterminate, Page
from tests.ports import free_ports
from tests.processes import lives, wait_until
from tests.shop import BASE, SECRET, make_house
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]


def environment(url: str, folder: Path, **more: str) -> dict[str, str]:
    return {
        "SHOP_MODE": "test",
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "SECRET_KEY": SECRET,
        "BASE_URL": BASE,
        "STRIPE_KEY": "sk_sandbox_commands",
        "STRIPE_BASE": "http://127.0.0.1:1",
        "STRIPE_WEBHOOK_SECRETS": "whsec_commands",
        "MAIL_FROM": "Fernway <shop@fernway.example.com>",
        "METRICS_TOKEN": "figures",
        **more,
    }


@dataclass(frozen=True)
class Shell:
    """Somebody at a terminal of the shop's machine; commands run in this process."""

    db: Database
    clock: ManualClock
    settings: Settings

    def run(self, command: Any, *argv: str) -> tuple[int, str]:
        out = StringIO()
        return command.run(argv, self.settings, self.db, self.clock, out), out.getvalue()


@pytest.fixture
def shell(db: Database, clock: ManualClock, tmp_path: Path) -> Shell:
    return Shell(db, clock, load(environment(db.url, tmp_path)))


# --- jobs -------------------------------------------------------------------------------------------


def give_up(db: Database, clock: ManualClock, handler: str) -> int:
    """A job that failed as often as it may."""
    with db.transaction() as session:
        queue.enqueue(session, handler, {}, clock.now())
    for _ in range(MAX_ATTEMPTS):
        clock.advance(timedelta(hours=2))
        with db.transaction() as session:
            (claimed,) = queue.claim(session, "tests", clock.now(), {})
        with db.transaction() as session:
            queue.fail(session, claimed, "ValueError: no such\nthing", clock.now())
    return claimed.id


def test_jobs_are_listed_with_what_became_of_them(shell):
    dead = give_up(shell.db, shell.clock, "refund")
    with shell.db.transaction() as session:
        queue.enqueue(session, "tidy", {}, shell.clock.now())
    code, said = shell.run(jobs)
    assert code == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in said.splitlines()]
    assert rows[0] == ["id", "state", "name", "handler", "tries", "runs at (UTC)", "last error"]
    assert rows[2][1:5] == ["ready", "tidy", "tidy", "0"]
    assert rows[3][:5] == [str(dead), "dead", "refund", "refund", str(MAX_ATTEMPTS)]
    assert rows[3][6] == "ValueError: no such thing"
    assert rows[-1] == ["Page 1 of 1, 2 in all."]


def test_only_the_dead_are_listed_when_asked_and_none_is_said_so(shell):
    assert shell.run(jobs) == (0, "There are no jobs.\n")
    give_up(shell.db, shell.clock, "refund")
    with shell.db.transaction() as session:
        queue.enqueue(session, "tidy", {}, shell.clock.now())
    _, said = shell.run(jobs, "--dead")
    assert "refund" in said
    assert "tidy" not in said
    shell.run(jobs, "retry", "1")
    assert shell.run(jobs, "--dead") == (0, "No job is dead.\n")


def test_a_long_list_is_paged(shell):
    with shell.db.transaction() as session:
        for number in range(jobs.PAGE_SIZE + 2):
            queue.enqueue(session, "tidy", {}, shell.clock.now(), key=f"tidy-{number}")
    first, second = shell.run(jobs)[1], shell.run(jobs, "--page", "2")[1]
    assert first.count("tidy  tidy") == jobs.PAGE_SIZE
    assert second.count("tidy  tidy") == 2
    assert "Page 2 of 2, 27 in all." in second
    assert shell.run(jobs, "--page", "9")[1] == second


def test_a_dead_job_runs_again_from_its_first_try(shell):
    dead = give_up(shell.db, shell.clock, "refund")
    assert shell.run(jobs, "retry", str(dead)) == (
        0,
        f"Job {dead} runs again, from its first try.\n",
    )
    with shell.db.reading() as session:
        row = session.get_one(Job, dead)
        assert (row.state, row.attempts) == ("ready", 0)
        assert row.run_at == shell.clock.now()
        assert session.scalar(select(AuditEntry.subject_id)) == str(dead)
    with pytest.raises(NotFound):
        shell.run(jobs, "retry", "999999")


# --- staff ------------------------------------------------------------------------------------------


def link_in(said: str, kind: str = "invite") -> str:
    found = re.search(rf"{BASE}/account/{kind}/(\S+)", said)
    assert found is not None, said
    return found[1]


def test_staff_come_in_by_a_link_that_is_printed(shell):
    code, said = shell.run(staff, "add", "Ines@Example.com", "--name", "Ines Calder", "--link")
    assert code == 0
    assert f"They log in at {BASE}/desk/login" in said
    with shell.db.reading() as session:
        user = users.find(session, "ines@example.com")
        assert user is not None
        assert (user.name, user.is_staff, user.password_hash) == ("Ines Calder", True, None)
        link = users.read_link(session, SECRET, "invite", link_in(said), shell.clock.now())
        assert link.user_id == user.id
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.subject_id) == ("staff.added", user.public_id)


def test_staff_come_in_with_a_password_that_is_piped_in(shell, monkeypatch):
    monkeypatch.setattr(sys, "stdin", StringIO("a ferry in the fog\n"))
    code, said = shell.run(staff, "add", "ines@example.com", "--password-stdin")
    assert code == 0
    assert "/invite/" not in said
    with shell.db.reading() as session:
        user = users.verify_login(users.find(session, "ines@example.com"), "a ferry in the fog")
    assert user.is_staff


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaa", "ines@example.com"])
def test_a_password_that_is_too_easy_lets_nobody_in(shell, monkeypatch, password):
    monkeypatch.setattr(sys, "stdin", StringIO(f"{password}\n"))
    code, said = shell.run(staff, "add", "ines@example.com", "--password-stdin")
    assert code == 1
    assert len(said.splitlines()) == 1
    with shell.db.reading() as session:
        assert users.find(session, "ines@example.com") is None


def test_a_customer_becomes_staff_and_keeps_the_password(shell):
    hashed = users.hash_password("a ferry in the fog")
    with shell.db.transaction() as session:
        users.add(session, "mara@example.com", "Mara Hollis", hashed, shell.clock.now())
    code, said = shell.run(staff, "add", "mara@example.com", "--link")
    assert code == 0
    assert "mara@example.com is staff now." in said
    assert "They keep the password that they have." in said
    with shell.db.reading() as session:
        user = users.find(session, "mara@example.com")
        assert user is not None
        assert (user.is_staff, user.name, user.password_hash) == (True, "Mara Hollis", hashed)
    assert "mara@example.com is staff already." in shell.run(staff, "add", "mara@example.com")[1]


def test_who_comes_later_is_told_a_role(shell):
    shell.run(staff, "add", "ines@example.com", "--link")
    code, said = shell.run(staff, "add", "kit@example.com", "--link")
    assert code == 1
    assert "Say what they do with --role" in said
    with shell.db.reading() as session:
        assert users.find(session, "kit@example.com") is None
    roles = ("--role", "support", "--role", "sales")
    assert shell.run(staff, "add", "kit@example.com", "--link", *roles)[0] == 0
    with shell.db.reading() as session:
        ines, kit = (users.find(session, f"{who}@example.com") for who in ("ines", "kit"))
    assert (ines.roles, kit.roles) == (["admin"], ["sales", "support"])


def test_an_admin_who_lost_the_telephone_is_helped_by_the_command(shell):
    shell.run(staff, "add", "ines@example.com", "--link")
    keys, now = Secrets(SECRET), shell.clock.now()
    with shell.db.transaction() as session:
        ines = users.find(session, "ines@example.com")
        second_step.begin(session, keys, ines.id, now)
        second_step.confirm(session, ines.id, now)
    assert shell.run(staff, "reset", "nobody@example.com")[0] == 1
    code, said = shell.run(staff, "reset", "ines@example.com")
    assert (code, said.strip()) == (0, "ines@example.com sets up a second step at the next log-in.")
    with shell.db.reading() as session:
        assert second_step.of(session, ines.id) is None
    assert "has no second step" in shell.run(staff, "reset", "ines@example.com")[1]


def test_an_address_that_cannot_be_written_to_is_refused(shell):
    for command, words in ((staff, ("add", "ines")), (invite, ("204187751", "ines"))):
        code, said = shell.run(command, *words)
        assert code == 1
        assert "does not look like an e-mail address" in said


# --- invite -----------------------------------------------------------------------------------------


@pytest.fixture
def imported(shell: Shell, world: World) -> Account:
    """An account of another system's history, which nobody can log in to."""
    with shell.db.transaction() as session:
        entity = session.get_one(LegalEntity, world.legal_entity_id)
        new = NewAccount("Weir Cottages Trust", None, external_ref="17850")
        return accounts.open_account(session, entity, None, new, shell.clock.now())


def links_of(shell: Shell, email: str) -> list[LinkToken]:
    with shell.db.reading() as session:
        user = users.find(session, email)
        assert user is not None
        query = select(LinkToken).where(LinkToken.user_id == user.id)
        return list(session.scalars(query.order_by(LinkToken.created_at, LinkToken.id)))


def asked_for(shell: Shell) -> set[str]:
    with shell.db.reading() as session:
        events = session.scalars(select(Job).where(Job.name == "LinkAsked"))
        return {job.payload["token_id"] for job in events}


def test_an_imported_account_gets_its_log_in_by_mail(shell, imported):
    code, said = shell.run(invite, "17850", "Vera@Example.com", "--name", "Vera Holt")
    assert code == 0
    assert f"vera@example.com owns account {imported.number} (Weir Cottages Trust) now." in said
    assert "goes to them by mail; it works for 14 days." in said
    (link,) = links_of(shell, "vera@example.com")
    assert (link.purpose, link.account_id) == ("invite", imported.id)
    assert asked_for(shell) == {link.id}
    with shell.db.reading() as session:
        user = users.find(session, "vera@example.com")
        assert user is not None
        assert (user.name, user.password_hash, user.is_staff) == ("Vera Holt", None, False)
        assert [one.id for one in accounts.of_user(session, user.id)] == [imported.id]
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.subject_id) == ("account.invited", imported.public_id)
    assert "vera" not in str(entry.detail)


@pytest.mark.parametrize("by", ["number", "number in threes", "public id", "external id"])
def test_an_account_goes_by_its_number_or_an_id(shell, imported, by):
    number = imported.number
    names = {
        "number": number,
        "number in threes": f"{number[:3]} {number[3:6]} {number[6:]}",
        "public id": imported.public_id,
        "external id": "17850",
    }
    assert shell.run(invite, names[by], "vera@example.com")[0] == 0
    assert links_of(shell, "vera@example.com")[0].account_id == imported.id


def test_a_second_invitation_is_a_new_link_and_ends_the_first(shell, imported):
    shell.run(invite, "17850", "vera@example.com")
    shell.clock.advance(timedelta(minutes=5))
    code, said = shell.run(invite, "17850", "vera@example.com")
    assert code == 0
    assert "vera@example.com is on account" in said
    assert "The link that was sent before works no longer." in said
    first, second = links_of(shell, "vera@example.com")
    assert asked_for(shell) == {first.id, second.id}
    now = shell.clock.now()
    with shell.db.reading() as session:
        token = users.link_token(SECRET, second)
        assert users.read_link(session, SECRET, "invite", token, now).id == second.id
        with pytest.raises(DeadLink):
            users.read_link(session, SECRET, "invite", users.link_token(SECRET, first), now)


def test_whoever_has_a_log_in_sees_the_account_at_once_and_gets_no_mail(shell, imported):
    with shell.db.transaction() as session:
        hashed = users.hash_password("a ferry in the fog")
        users.add(session, "vera@example.com", "Vera Holt", hashed, shell.clock.now())
    code, said = shell.run(invite, "17850", "vera@example.com")
    assert code == 0
    assert "They have a log-in already and see the account there; no mail was sent." in said
    assert links_of(shell, "vera@example.com") == []
    assert asked_for(shell) == set()
    with shell.db.reading() as session:
        user = users.find(session, "vera@example.com")
        assert user is not None
        assert [one.id for one in accounts.of_user(session, user.id)] == [imported.id]


def test_an_account_that_is_not_there_invites_nobody(shell, imported):
    code, said = shell.run(invite, "17851", "vera@example.com")
    assert code == 1
    assert said.startswith("There is no account 17851.")
    with shell.db.reading() as session:
        assert users.find(session, "vera@example.com") is None


def test_an_id_that_two_legal_entities_know_asks_which(shell, imported, clock):
    with shell.db.transaction() as session:
        other = LegalEntity(
            code="other",
            name="Other Ltd",
            address=[],
            country="GB",
            time_zone="Europe/London",
            functional_currency="GBP",
        )
        session.add(other)
        session.flush()
        new = NewAccount("Somebody Else", None, external_ref="17850")
        theirs = accounts.open_account(session, other, None, new, clock.now())
    code, said = shell.run(invite, "17850", "vera@example.com")
    assert (code, "fernway, other" in said) == (1, True)
    assert shell.run(invite, "17850", "vera@example.com", "--entity", "other")[0] == 0
    assert links_of(shell, "vera@example.com")[0].account_id == theirs.id


# --- reconcile, migrate -----------------------------------------------------------------------------


class QuietProcessor:
    """It has nothing to tell, or does not answer."""

    def __init__(self, answers: bool = True) -> None:
        self.answers = answers

    def list_events(self, **asked: object) -> Page[Any]:
        if not self.answers:
            raise Indeterminate("no answer")
        return Page((), None, has_more=False)


def test_reconcile_tells_what_it_did(shell, world, tmp_path):
    house = make_house(shell.db, shell.clock, tmp_path, QuietProcessor())  # type: ignore[arg-type]  # no more is asked
    out = StringIO()
    assert reconcile.run([], shell.settings, house, out) == 0
    figures = dict(re.findall(r"^(.+?)\s{2,}(\d+)$", out.getvalue(), re.MULTILINE))
    assert figures == {
        "Events new to us": "0",
        "Payments looked at": "0",
        "Settled just now": "0",
        "Problems": "0",
    }


def test_reconcile_fails_when_the_processor_does_not_answer(shell, world, tmp_path):
    silent = QuietProcessor(answers=False)
    house = make_house(shell.db, shell.clock, tmp_path, silent)  # type: ignore[arg-type]  # no more is asked
    out = StringIO()
    assert reconcile.run([], shell.settings, house, out) == 1
    assert "events: The payment processor has not answered yet (no answer).\n" in out.getvalue()


def test_migrate_brings_an_empty_database_to_this_release_and_then_finds_nothing_to_do(
    new_url, clock, tmp_path
):
    url = new_url()
    settings, db = load(environment(url, tmp_path)), Database(url)
    first, second = StringIO(), StringIO()
    assert migrate.run([], settings, db, clock, first) == 0
    assert migrations.is_current(db)
    assert migrate.run([], settings, db, clock, second) == 0
    db.close()
    assert f"from nothing to {migrations.newest()}" in first.getvalue()
    assert "at this release already" in second.getvalue()


def test_migrate_says_in_one_line_what_is_in_its_way(new_url, clock, tmp_path, monkeypatch):
    def refuse(url: str) -> None:
        raise CannotMigrate("Give ended_on of subscription s1. Nothing was changed.")

    monkeypatch.setattr(migrations, "upgrade", refuse)
    url, out = new_url(), StringIO()
    with closing(Database(url)) as db:
        assert migrate.run([], load(environment(url, tmp_path)), db, clock, out) == 1
    assert out.getvalue() == "Give ended_on of subscription s1. Nothing was changed.\n"


# --- the way in -------------------------------------------------------------------------------------


def test_without_a_command_all_of_them_are_listed(capsys):
    assert cli.main([]) == 0
    said = capsys.readouterr().out
    for name, command in cli.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.does)}$", said, re.MULTILINE)


@pytest.mark.parametrize("name", [*cli.COMMANDS, "demo"])
def test_every_command_explains_itself_without_settings(name, capsys, monkeypatch):
    for setting in ("DATABASE_URL", "SECRET_KEY", "BASE_URL"):
        monkeypatch.delenv(setting, raising=False)
    assert cli.main(["help", name]) == 0
    assert f"shop {name}" in capsys.readouterr().out


def test_an_unknown_command_is_told_with_the_nearest_one(capsys):
    assert cli.main(["recncile"]) == 2
    said = capsys.readouterr().err
    assert said == "There is no command “recncile”. Did you mean ./shop reconcile?\n"


def test_a_setting_that_is_wrong_is_named_in_one_line(capsys, monkeypatch, tmp_path):
    for name, value in environment("sqlite:///x", tmp_path, WEB_THREADS="many").items():
        monkeypatch.setenv(name, value)
    assert cli.main(["jobs"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("WEB_THREADS is wrong; it may be ")
    assert said.count("\n") == 1


# --- processes of their own -------------------------------------------------------------------------


@pytest.fixture
def migrated(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine whose database is at this release, and empty."""
    url = f"sqlite:///{tmp_path / 'served.db'}"
    migrations.upgrade(url)
    return environment(url, tmp_path, WEB_PROCESSES="2", WEB_THREADS="2")


@contextmanager
def started(settings: dict[str, str], *argv: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own; whatever is left of it at the end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *argv],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def run(settings: dict[str, str], *argv: str) -> tuple[int, str]:
    with started(settings, *argv) as process:
        said, _ = process.communicate(timeout=60)
    return process.returncode, said


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listing.read_text().split()]


def ask(port: int, path: str, token: str = "") -> str:
    request = urllib.request.Request(f"http://localhost:{port}{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def answers(port: int) -> bool:
    try:
        return "alive" in ask(port, "/healthz")
    except OSError:
        return False


def all_ended(pids: Sequence[int]) -> bool:
    return not any(lives(pid) for pid in pids)


def test_serve_answers_counts_over_all_its_processes_and_ends_when_asked(migrated):
    port = free_ports()
    left_behind = Path(migrated["DATA_DIR"]) / "metrics" / str(port) / "counter_1.db"
    left_behind.parent.mkdir(parents=True)
    left_behind.touch()
    with started(migrated, "serve", "--port", str(port)) as server:
        assert wait_until(lambda: answers(port), 60)
        assert not left_behind.exists()
        workers = children(server.pid)
        assert len(workers) == 2
        before = healthy(port)
        for _ in range(30):
            ask(port, "/healthz")
        assert healthy(port) == before + 30
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        assert wait_until(lambda: all_ended(workers))


def healthy(port: int) -> int:
    """How many questions for its health the server says that it has answered."""
    pattern = r'^shop_requests_total\{[^}]*route="/healthz"[^}]*\} (\d+)'
    found = re.findall(pattern, ask(port, "/metrics", "figures"), re.MULTILINE)
    return sum(map(int, found))


def test_serve_says_in_one_line_that_its_port_is_taken(migrated):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = run(migrated, "serve", "--port", str(port))
    assert code == 1
    assert said == f"Port {port} of 127.0.0.1 is taken; choose another with --port.\n"


@pytest.mark.parametrize("command", [["serve", "--port", "1"], ["worker"], ["jobs"], ["seed"]])
def test_nothing_starts_on_a_database_that_was_not_migrated(tmp_path, command):
    settings = environment(f"sqlite:///{tmp_path / 'old.db'}", tmp_path)
    code, said = run(settings, *command)
    assert code == 1
    assert said == "The database is not at this release. Run ./shop migrate first.\n"


def test_a_database_that_does_not_answer_is_told_in_one_line(tmp_path):
    url = f"postgresql+psycopg://shop:secret@127.0.0.1:{free_ports()}/shop"
    code, said = run(environment(url, tmp_path), "jobs")
    assert code == 1
    assert said.startswith("The database does not do what was asked of it: ")
    assert said.count("\n") == 1
    assert "secret" not in said


@pytest.mark.parametrize("count", [1, 2])
def test_the_worker_does_its_jobs_and_ends_when_asked(migrated, count):
    db = Database(migrated["DATABASE_URL"])
    with started(migrated, "worker", "-n", str(count)) as worker:
        assert wait_until(lambda: done(db, "seal_audit"), 60)
        others = children(worker.pid)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
        assert wait_until(lambda: all_ended(others))
    db.close()


def test_workers_end_with_the_one_that_started_them(migrated):
    db = Database(migrated["DATABASE_URL"])
    with started(migrated, "worker", "-n", "2") as worker:
        assert wait_until(lambda: done(db, "seal_audit"), 60)
        others = children(worker.pid)
        assert len(others) >= 2
        worker.kill()
        worker.wait()
        assert wait_until(lambda: all_ended(others))
    db.close()


def done(db: Database, handler: str) -> bool:
    with db.reading() as session:
        query = select(func.count()).where(Job.handler == handler, Job.state == "done")
        return bool(session.scalar(query))
